"""Read the data of a report's page, as its scripts do."""

import json
from typing import Any


def report_data(page: str) -> dict[str, Any]:
    """Return the JSON value that the page embeds."""
    _, _, rest = page.partition('<script type="application/json" id="report-data">')
    tree: dict[str, Any] = json.loads(rest.partition("</script>")[0])
    return tree


def report_column(page: str, name: str) -> list[Any]:
    """Return the values of a column of trials."""
    (column,) = (c for c in report_data(page)["trials"]["columns"] if c["name"] == name)
    if "codes" in column:
        return [column["levels"][code] for code in column["codes"]]
    return list(column["values"] if "values" in column else column["texts"])
