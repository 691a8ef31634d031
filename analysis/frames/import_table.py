"""Import a table of results from elsewhere as a TrialTable, and store it in a folder.

The folder holds `study.json` (roles of the columns, counts of dropped rows) and `rows.parquet`.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from clip_hparam.analysis.frames.json_files import UnreadableError, read_record_json
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.config.knob import suggest
from clip_hparam.records.atomic import utc_timestamp, write_atomic, write_json
from clip_hparam.records.record import SCHEMA_VERSION

HEAD_FILE, ROWS_FILE = "study.json", "rows.parquet"
ROW_NUMBER_COLUMN = "Unnamed: 0"  # pandas' name of a first column without a header
READABLE_SUFFIXES = ".csv, .tsv, .parquet, .jsonl"


def read_table(path: Path) -> pd.DataFrame:
    """Read a table with a row per trial; a leading column of row numbers is dropped.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the file is no table, has no rows, or its suffix is unknown.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    readers = {
        ".csv": lambda: pd.read_csv(path, low_memory=False),
        ".tsv": lambda: pd.read_csv(path, sep="\t", low_memory=False),
        ".parquet": lambda: pd.read_parquet(path),
        ".jsonl": lambda: _read_json_lines(path),
        ".ndjson": lambda: _read_json_lines(path),
    }
    if path.suffix.lower() not in readers:
        raise ValueError(f"{path}: {path.suffix or 'no suffix'} is none of {READABLE_SUFFIXES}")
    try:
        table = readers[path.suffix.lower()]()
    except (ValueError, pd.errors.ParserError) as error:  # pyarrow's errors are ValueErrors too
        raise ValueError(f"{path} cannot be read as {path.suffix}: {_first_line(error)}") from None
    if table.empty:
        raise ValueError(f"{path} has no rows")
    return table.drop(columns=ROW_NUMBER_COLUMN, errors="ignore")


def to_trial_table(
    table: pd.DataFrame,
    knobs: Sequence[str],
    metrics: Sequence[str],
    objective: str,
    minimize: bool = False,
    name: str | None = None,
) -> TrialTable:
    """Select the columns of knobs and metrics. Drop duplicate rows and rows without any knob.

    Duplicates are rows that are equal in every column but `name`.

    Raises:
        ValueError: a column does not exist, has two roles, or a metric is not numeric.
    """
    metrics = list(dict.fromkeys([*metrics, objective]))
    _validate_columns(table, [*knobs], metrics, name)
    named = table if name is None else table.drop(columns=name)
    repeated = named.duplicated()
    unique = table[~repeated]
    empty = unique[list(knobs)].isna().all(axis=1)
    trials = unique[~empty]
    rows = trials[[*knobs, *metrics]].assign(
        **{metric: _to_numbers(trials[metric], metric) for metric in metrics}
    )
    rows = rows.set_axis(_row_names(trials, name), axis="index")
    return TrialTable(
        rows, list(knobs), metrics, objective, minimize, int(repeated.sum()), int(empty.sum())
    )


def write_trial_table(table: TrialTable, source: Path, folder: Path) -> list[Path]:
    """Write both files atomically and return their paths.

    Raises:
        OSError: the folder cannot be written.
        ValueError: the folder holds records of trials.
    """
    if any(folder.glob("*/recipe.json")):
        raise ValueError(f"{folder} holds trials of ours: name another folder with --out")
    content = _with_uniform_types(table.rows.reset_index(names=_unused_column(table)))
    write_atomic(folder / ROWS_FILE, content.to_parquet(index=False))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    facts = {key: value for key, value in table._asdict().items() if key != "rows"}
    head = {
        "schema": SCHEMA_VERSION,
        "source": source.name,
        "sha256": digest,
        "imported": utc_timestamp(),
    }
    write_json(folder / HEAD_FILE, {**head, **facts})
    return [folder / HEAD_FILE, folder / ROWS_FILE]


def read_trial_table(folder: Path) -> TrialTable:
    """Read the table that `write_trial_table` wrote.

    Raises:
        UnreadableError: a file is missing, cut, or of a newer schema.
    """
    facts = read_record_json(folder / HEAD_FILE)
    try:
        rows = pd.read_parquet(folder / ROWS_FILE)
        rows = rows.set_index(rows.columns[0])
        fields = {key: facts[key] for key in TrialTable._fields if key != "rows"}
        table = TrialTable(rows, **fields)
        rows[[*table.knobs, *table.metrics]]  # raises KeyError if a column is missing
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise UnreadableError(
            f"{folder / ROWS_FILE} is not what {HEAD_FILE} says: import again"
        ) from error
    return table


def _read_json_lines(path: Path) -> pd.DataFrame:
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.strip():
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is not an object")
            rows.append({key: _to_scalar(value) for key, value in row.items()})
    return pd.DataFrame(rows)


def _to_scalar(value: Any) -> Any:
    """Return the value; a list or an object as JSON text."""
    return json.dumps(value, sort_keys=True) if isinstance(value, (list, dict)) else value


def _validate_columns(
    table: pd.DataFrame, knobs: list[str], metrics: list[str], name: str | None
) -> None:
    known = [str(column) for column in table.columns]
    wanted = [*knobs, *metrics, *([name] if name else [])]
    for column in wanted:
        if column not in known:
            raise ValueError(f"there is no column {column}: {suggest(column, known)}")
    repeated = sorted({column for column in wanted if wanted.count(column) > 1})
    if repeated:
        raise ValueError(f"column {repeated[0]} cannot be two things: knob, metric or name")


def _to_numbers(values: pd.Series, metric: str) -> pd.Series:
    """Convert to float, infinite to NaN. Raises: ValueError that names the first non-number."""
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    wrong = values[numbers.isna() & values.notna()]
    wrong = wrong[[isinstance(value, str) for value in wrong]]
    if len(wrong) or values.dtype == bool:
        first = wrong.iloc[0] if len(wrong) else values.iloc[0]
        raise ValueError(f"{metric} is no metric: {first!r} is not a number")
    return numbers.where(numbers.abs() < math.inf)


def _row_names(table: pd.DataFrame, name: str | None) -> list[str]:
    """Return the values of column `name`; without it "row N", the row of the file from 1."""
    if name is None:
        return [f"row {number + 1}" for number in table.index]
    return [str(value) for value in table[name]]


def _unused_column(table: TrialTable) -> str:
    """Return a name for the index column that no knob and no metric has."""
    name = "name"
    while name in table.rows:
        name = f"_{name}"
    return name


def _with_uniform_types(rows: pd.DataFrame) -> pd.DataFrame:
    """Convert columns of numbers and text to text, since a Parquet column has one type."""
    mixed = [
        column
        for column in rows
        if rows[column].dtype == object
        and len({isinstance(value, str) for value in rows[column].dropna()}) > 1
    ]
    texts = {str(column): rows[column].map(str, na_action="ignore") for column in mixed}
    return rows.assign(**texts)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
