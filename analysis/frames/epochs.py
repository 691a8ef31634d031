"""Parse metrics.jsonl of many trials into one table with a row per epoch.

pyarrow parses the lines of all trials in one call: 500,000 rows take a tenth of the time of `json`.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import json as arrow_json


def complete_lines(path: str, content: bytes) -> tuple[bytes, str]:
    """Return the lines before the first one that is no JSON object, and a message about that line.

    The message is empty if all lines are objects.
    """
    whole: list[bytes] = []
    for number, line in enumerate(content.splitlines(), start=1):
        if not _is_object(line):
            message = f"{path} line {number} is truncated or not JSON: epochs end before it"
            return b"".join(whole), message
        whole.append(line + b"\n")
    return b"".join(whole), ""


def epochs_table(trials: Iterable[tuple[str, bytes]]) -> pa.Table:
    """Return a table with a row per epoch: `trial_id`, then the keys of the rows, null if missing.

    trials: trial_id and its complete lines of metrics.jsonl.
    """
    named = [(name, content, content.count(b"\n")) for name, content in trials if content]
    if not named:
        return pa.table({"trial_id": pa.array([], pa.string())})
    names = pa.array([name for name, _, _ in named], pa.string())
    counts = [count for _, _, count in named]
    content = b"".join(content for _, content, _ in named)
    try:
        table = arrow_json.read_json(pa.BufferReader(content))
    except pa.ArrowInvalid:  # a column holds numbers and text
        table = rows_to_table([json.loads(line) for line in content.splitlines()])
    trial_indices = pa.array(np.repeat(np.arange(len(counts)), counts))
    return table.add_column(0, "trial_id", names.take(trial_indices))


def rows_to_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return a table of the rows, columns in order of first appearance.

    A column of mixed types becomes text.
    """
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
