"""Parquet cache of the trials of a runs folder, in its subfolder `.cache`.

The signature of a trial (sizes and times of its files) decides whether the cached row is valid.
Trials with problems are never cached, so that each call of `load` reports them. The cache may be
deleted at any time. It is written again when at least 100 trials and at least 5 % of all trials are
not in it.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
import pyarrow as pa
from pyarrow import compute, parquet

from clip_hparam.records import archive
from clip_hparam.records.atomic import write_atomic
from clip_hparam.records.record import SCHEMA_VERSION

CACHE_VERSION = f"1.{SCHEMA_VERSION}"  # changes with the columns; other versions are ignored
CACHE_FOLDER, SIGNATURE_COLUMN = ".cache", "_signature"
TRIAL_FILES = (
    "recipe.json",
    "status.json",
    "metrics.jsonl",
    "correct.npz",
    "failure.json",
    "result.json",
)
PARQUET_OPTIONS: dict[str, Any] = {
    "compression": "lz4",
    "use_dictionary": ["trial_id"],  # a dictionary of floats costs time and saves no space
    "write_statistics": False,
}
MIN_NEW_TRIALS, MIN_NEW_SHARE = 100, 0.05  # fewer uncached trials are not written


class CachedTables(NamedTuple):
    """Cached rows of trials and epochs; `trials` has a column `_signature`."""

    trials: pa.Table
    epochs: pa.Table


EMPTY_CACHE = CachedTables(
    pa.table({"trial_id": pa.array([], pa.string()), SIGNATURE_COLUMN: pa.array([], pa.int64())}),
    pa.table({"trial_id": pa.array([], pa.string())}),
)


def trial_signature(folder: str) -> int:
    """Return a number that changes when a file of the trial is written, added or removed."""
    marks: list[int] = []
    for name in TRIAL_FILES:
        try:
            stat = os.stat(f"{folder}/{name}")  # noqa: PTH116 (Path.stat doubles the time)
            marks += (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            marks.append(-1)
    if marks[0] < 0:
        runs, _, trial_id = folder.rpartition("/")
        marks.append(archive.signature(runs, trial_id))
    return hash(tuple(marks))


def read_cache(runs: Path) -> CachedTables:
    """Return the cached tables; empty ones if the cache is missing, damaged or of another version.

    Both files carry one random mark, so that files of two different writes are not combined.
    """
    tables = [_read_file(runs, name) for name in CachedTables._fields]
    if (
        any(table is None for table in tables)
        or len({_mark(table) for table in tables if table is not None}) > 1
    ):
        return EMPTY_CACHE
    return CachedTables(*tables)


def read_cached_trials(runs: Path) -> CachedTables:
    """Return the cached trials without epochs, which take most of the time; else as `read_cache`.

    The trials are those of one write, also where the file of the epochs is of another one.
    """
    trials = _read_file(runs, "trials")
    return EMPTY_CACHE if trials is None else EMPTY_CACHE._replace(trials=trials)


def _read_file(runs: Path, name: str) -> pa.Table | None:
    """Return a file of the cache; None if it is missing, damaged or of another version."""
    try:
        table = parquet.read_table(runs / CACHE_FOLDER / f"{name}.parquet")
    except (OSError, pa.ArrowException):
        return None
    return table if _mark(table).startswith(f"{CACHE_VERSION}-".encode()) else None


def _mark(table: pa.Table) -> bytes:
    mark: bytes = (table.schema.metadata or {}).get(b"mark", b"")
    return mark


def without_changed_trials(known: CachedTables, signatures: dict[str, int]) -> CachedTables:
    """Drop cached trials whose signature differs from the current one, or that were removed."""
    names, marks = (known.trials[name].to_pylist() for name in ("trial_id", SIGNATURE_COLUMN))
    same = np.array(
        [signatures.get(name) == mark for name, mark in zip(names, marks, strict=True)], bool
    )
    if same.all():
        return known
    trials = known.trials.filter(pa.array(same))
    return CachedTables(
        trials, known.epochs.filter(_is_in(known.epochs["trial_id"], trials["trial_id"]))
    )


def concat_cached(known: CachedTables, fresh: CachedTables) -> CachedTables:
    """Concatenate two pairs of tables; a column that only one of them has is null in the other."""
    pairs = zip(known, fresh, strict=True)
    return CachedTables(*(pa.concat_tables(pair, promote_options="permissive") for pair in pairs))


def should_write(fresh: int, all_trials: int) -> bool:
    """Return whether enough trials are missing from the cache to write it again."""
    return fresh >= max(MIN_NEW_TRIALS, MIN_NEW_SHARE * all_trials)


def write_cache(runs: Path, known: CachedTables) -> None:
    """Write both files with a common mark. A read-only folder is no error: it gets no cache."""
    mark = {"mark": f"{CACHE_VERSION}-{uuid4().hex}"}
    with suppress(OSError):
        for name, table in known._asdict().items():
            buffer = pa.BufferOutputStream()
            marked = table.replace_schema_metadata(mark)
            parquet.write_table(marked, buffer, **PARQUET_OPTIONS)
            write_atomic(runs / CACHE_FOLDER / f"{name}.parquet", buffer.getvalue().to_pybytes())


def _is_in(values: pa.ChunkedArray, wanted: pa.ChunkedArray) -> pa.ChunkedArray:
    mask: pa.ChunkedArray = compute.is_in(values, value_set=wanted.combine_chunks())
    return mask
