"""Read a table of images: a path, a label, and a split in each row."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clip_hparam.data.folders.names import cell_text

SUFFIXES = (".csv", ".tsv", ".parquet")
PATH_COLUMNS = ("path", "file", "filename", "file_name", "filepath", "image")
LABEL_COLUMNS = ("label", "class", "target", "category")
SPLIT_COLUMNS = ("split", "set", "fold")
FORM = "a table has a column path, a column label, and where it holds several sets a column split"


@dataclass(frozen=True)
class TableRows:
    """Columns of a table, as text. splits: empty where there is no such column."""

    file: Path
    paths: tuple[str, ...]
    labels: tuple[str, ...]
    splits: tuple[str, ...]


def read_table(file: Path) -> TableRows:
    """Return the rows of a table; paths are relative to the folder of the file.

    Raises: ValueError for a file that cannot be read, a missing column, an empty cell, or a path
    that is not relative or is named twice.
    """
    try:
        columns = _read_parquet(file) if file.suffix == ".parquet" else _read_csv(file)
    except (UnicodeDecodeError, csv.Error, OSError):
        raise ValueError(f"{file} cannot be read as a table: {FORM}") from None
    paths = columns[_column(file, columns, PATH_COLUMNS)]
    labels = columns[_column(file, columns, LABEL_COLUMNS)]
    split = next((name for name in SPLIT_COLUMNS if name in columns), None)
    splits = () if split is None else columns[split]
    if not paths:
        raise ValueError(f"{file} holds no row: {FORM}")
    for row, values in enumerate(zip(paths, labels, *([splits] if splits else []), strict=True)):
        if not all(values):
            raise ValueError(f"{file}: row {row + 1} has an empty cell: fill it, or remove the row")
    _refuse_paths(file, paths)
    return TableRows(file, paths, labels, splits)


def _refuse_paths(file: Path, paths: Sequence[str]) -> None:
    """Raise ValueError for an absolute path, or a path that is named twice."""
    seen: set[str] = set()
    for path in paths:
        if Path(path).is_absolute():
            raise ValueError(
                f"{file}: {path} is absolute, and paths are relative to the folder of the table, so"
                " that it can be moved: write them from there"
            )
        if path in seen:
            raise ValueError(f"{file} names {path} twice: keep one row")
        seen.add(path)


def _column(file: Path, columns: dict[str, tuple[str, ...]], names: Sequence[str]) -> str:
    matching = [name for name in names if name in columns]
    if len(matching) != 1:
        has = f"has {' and '.join(matching)}" if matching else f"has no column {names[0]}"
        raise ValueError(f"{file} {has} among {', '.join(columns)}: {FORM}")
    return matching[0]


def _read_csv(file: Path) -> dict[str, tuple[str, ...]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t" if file.suffix == ".tsv" else ","))
    head = [name.strip().lower() for name in rows[0]] if rows else []
    body = [row for row in rows[1:] if row]
    if any(len(row) != len(head) for row in body):
        raise csv.Error
    return {name: tuple(row[at].strip() for row in body) for at, name in enumerate(head)}


def _read_parquet(file: Path) -> dict[str, tuple[str, ...]]:
    from pyarrow import ArrowException, parquet  # lazy: pyarrow, 0.2 s

    try:
        names = parquet.read_schema(file).names
        wanted = [
            name
            for name in names
            if name.lower() in {*PATH_COLUMNS, *LABEL_COLUMNS, *SPLIT_COLUMNS}
        ]
        table = parquet.read_table(file, columns=wanted)
    except ArrowException:
        raise csv.Error from None
    return {name.lower(): tuple(map(cell_text, table[name].to_pylist())) for name in wanted}
