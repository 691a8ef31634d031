"""The files that the page is made of: template, style, scripts and the library of charts."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parents[2] / "data"
LIBRARY = "Charts: Apache ECharts 6.1.0, Apache License 2.0 (in this page)"
SCRIPTS = (
    *("elements", "format", "data", "filters", "charts"),
    *("table", "parallel", "scatter", "curves", "explorer"),
    *("sweep", "heatmap", "effects", "search", "tables", "live", "main"),
)  # in this order, since a module uses those before it


class Assets(NamedTuple):
    """Texts of the files; `script` holds all modules in one function."""

    template: str
    style: str
    echarts: str
    script: str


@cache
def read_assets() -> Assets:
    """Return the texts of the files in analysis/data.

    Raises:
        OSError: a file of the package is missing.
    """
    folder = DATA / "page"
    modules = "\n".join((folder / f"{name}.js").read_text() for name in SCRIPTS)
    return Assets(
        (folder / "page.html").read_text(),
        (folder / "style.css").read_text(),
        (DATA / "echarts" / "echarts.min.js").read_text(),
        f'(() => {{\n"use strict";\n{modules}\n}})();',
    )
