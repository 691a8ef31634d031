"""Choose the reader of a file or folder by the name of a format, or by its content."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clip_hparam.analysis.frames.importing.readers.delimited import read_delimited
from clip_hparam.analysis.frames.importing.readers.json_rows import read_json_rows
from clip_hparam.analysis.frames.importing.readers.optuna_storage import (
    is_journal,
    is_sqlite,
    read_study,
)
from clip_hparam.analysis.frames.importing.readers.ray_folder import is_ray_folder, read_ray_folder
from clip_hparam.analysis.frames.importing.readers.tensorboard_folder import (
    has_event_files,
    read_event_files,
)
from clip_hparam.analysis.frames.importing.source import Source, refuse_twin_columns
from clip_hparam.config.knob import suggest

READABLE_SUFFIXES = ".csv, .tsv, .parquet, .jsonl"
TABLES_BY_SUFFIX = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "jsonl"),
    ".parquet": "parquet",
}
NARROW_FLOATS = (np.float16, np.float32)  # 0.001 is 0.0010000000474974513 as a float


def _read_parquet(path: Path) -> Source:
    """Read the columns, and the index if it has a name or texts. Lists and structures become text.

    Raises:
        ValueError: the file cannot be read, or the index is called like a column.
    """
    rows = pd.read_parquet(path)
    is_numbered = rows.index.names == [None] and pd.api.types.is_integer_dtype(rows.index)
    rows = rows.reset_index(drop=is_numbered)
    for name, kind in rows.dtypes.items():
        if kind in NARROW_FLOATS:
            rows[name] = [float(str(value)) for value in rows[name].to_numpy()]
        elif kind.kind == "O":
            rows[name] = rows[name].map(_plain)
    return Source("parquet", rows)


def _plain(value: Any) -> Any:
    """Return a list or a structure as JSON text, any other value unchanged."""
    if not isinstance(value, (np.ndarray, list, dict)):
        return value
    return json.dumps(
        value, default=lambda item: item.tolist() if hasattr(item, "tolist") else str(item)
    )


READERS: dict[str, Callable[[Path], Source]] = {
    "csv": read_delimited,
    "jsonl": read_json_rows,
    "parquet": _read_parquet,
    "wandb": read_delimited,
    "optuna": lambda path: _read_optuna(path, None),
    "ray": read_ray_folder,
    "tensorboard": read_event_files,
    "soups": read_json_rows,
}


def _read_optuna(path: Path, study: str | None) -> Source:
    """Read a storage, or the CSV of a study's data frame."""
    if is_sqlite(path) or is_journal(path):
        return read_study(path, study)
    table = read_delimited(path)
    if table.format != "optuna-csv":
        raise ValueError("it is neither a SQLite file, nor a journal or a CSV of Optuna")
    if study is not None:
        raise ValueError(f"a CSV holds one study, so leave --study {study} out")
    return table


def read_source(path: Path, format_name: str | None = None, study: str | None = None) -> Source:
    """Read a file or a folder of results.

    format_name: a key of READERS; None: chosen by the content.
    study: the study of an Optuna storage that holds several.

    Raises:
        FileNotFoundError: the path does not exist.
        ValueError: the content is of no known or of another format, or has no row.
    """
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    chosen = format_name or format_of(path)
    if chosen not in READERS:
        raise ValueError(f"there is no format {chosen}: {suggest(chosen, READERS)}")
    if study is not None and chosen != "optuna":
        raise ValueError(
            f"--study {study} names a study in a storage of Optuna, and {path} is read as {chosen}:"
            " leave it out"
        )
    if path.is_dir() != (chosen == "ray") and chosen != "tensorboard":
        needed = "folder" if chosen == "ray" else "file"
        raise ValueError(f"{path} is not a {needed}, which format {chosen} needs")
    try:
        source = _read_optuna(path, study) if chosen == "optuna" else READERS[chosen](path)
    except ValueError as error:  # pyarrow's errors are ValueErrors too
        sentence = str(error).strip().splitlines()[0].rstrip(".")
        raise ValueError(f"{path} cannot be read as {chosen}: {sentence}") from None
    refuse_twin_columns(path, map(str, source.rows))
    if source.rows.empty:
        raise ValueError(f"{path} has no rows")
    return source


def format_of(path: Path) -> str:
    """Return the name of the format that the content has.

    Raises:
        ValueError: no format fits; the sentence lists what can be read.
    """
    if has_event_files(path) and not is_ray_folder(path):
        return "tensorboard"
    if path.is_dir():
        if is_ray_folder(path):
            return "ray"
        if next(path.glob("*/recipe.json"), None):
            raise ValueError(
                f"{path} holds trials of clip-hparam, which need no import: type --runs {path}"
            )
        raise ValueError(
            f"{path} is a folder without trials of Ray Tune (params.json) and without TensorBoard"
            " event files: name a file, or another folder"
        )
    if is_sqlite(path):
        return "optuna"
    if path.suffix.lower() == ".parquet":
        return "parquet"
    if is_journal(path):
        return "optuna"
    by_suffix = TABLES_BY_SUFFIX.get(path.suffix.lower())
    if by_suffix is None:
        raise ValueError(
            f"{path}: {path.suffix or 'no suffix'} is not one of {READABLE_SUFFIXES}; for"
            " another file"
            f" name its format with --format: {', '.join(READERS)}"
        )
    return by_suffix
