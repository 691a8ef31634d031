"""metrics.jsonl of many trials -> one table, a row an epoch.

Whole lines are parsed by pyarrow all at once: of half a million rows it costs a tenth of Python.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import json as arrow_json


def complete_lines(path: str, content: bytes) -> tuple[bytes, str]:
    """The objects at the head of a file, a line each, and a sentence if something follows them."""
    whole: list[bytes] = []
    for number, line in enumerate(content.splitlines(), start=1):
        if not _is_object(line):
            return b"".join(
                whole
            ), f"{path} line {number} is cut or no object: epochs end before it"
        whole.append(line + b"\n")
    return b"".join(whole), ""


def epochs_table(trials: Iterable[tuple[str, bytes]]) -> pa.Table:
    """`trial_id` and the columns of all rows; a column that a row lacks is null there."""
    named = [(name, content, content.count(b"\n")) for name, content in trials if content]
    if not named:
        return pa.table({"trial_id": pa.array([], pa.string())})
    names = pa.array([name for name, _, _ in named], pa.string())
    counts = [count for _, _, count in named]
    content = b"".join(content for _, content, _ in named)
    try:
        table = arrow_json.read_json(pa.BufferReader(content))
    except pa.ArrowInvalid:  # a column of numbers and text
        table = rows_to_table([json.loads(line) for line in content.splitlines()])
    places = pa.array(np.repeat(np.arange(len(counts)), counts))
    return table.add_column(0, "trial_id", names.take(places))


def rows_to_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Columns in the order in which they are met; where types differ, all become text."""
    with suppress(pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        records = pa.array(rows, from_pandas=True)
        if rows and not any(map(pa.types.is_nested, (field.type for field in records.type))):
            return pa.Table.from_arrays(records.flatten(), [field.name for field in records.type])
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _to_column([row.get(name) for row in rows]) for name in names})


def _to_column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values])


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
