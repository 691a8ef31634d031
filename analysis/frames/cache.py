"""What was read of a runs folder, kept as Parquet in `.cache` there: only what changed is read.

A trial is known by the sizes and times of its files: change one, and it is read again. Only sound
trials are kept, so each problem is found and named each time. Losing the cache loses nothing; it is
written anew once a twentieth of the trials is not in it.
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

CACHE_VERSION = f"1.{SCHEMA_VERSION}"  # of the columns below: another version is not read
CACHE_FOLDER, SIGNATURE_COLUMN = ".cache", "_signature"
TRIAL_FILES = (
    "recipe.json",
    "status.json",
    "metrics.jsonl",
    "correct.npz",
    "failure.json",
    "result.json",
)
PARQUET_OPTIONS: dict[
    str, Any
] = {  # dictionaries and statistics of floats cost time and save nothing
    "compression": "lz4",
    "use_dictionary": ["trial_id"],
    "write_statistics": False,
}
MIN_NEW_TRIALS, MIN_NEW_SHARE = 100, 0.05  # trials not in the cache before it is worth writing


class CachedTables(NamedTuple):
    """Rows of trials and of epochs; `trials` has a column `_signature`."""

    trials: pa.Table
    epochs: pa.Table


EMPTY_CACHE = CachedTables(
    pa.table({"trial_id": pa.array([], pa.string()), SIGNATURE_COLUMN: pa.array([], pa.int64())}),
    pa.table({"trial_id": pa.array([], pa.string())}),
)


def trial_signature(folder: str) -> int:
    """Changes when a file of the trial does, or one comes or goes."""
    marks: list[int] = []
    for name in TRIAL_FILES:
        try:
            stat = os.stat(f"{folder}/{name}")  # noqa: PTH116 (60,000 of them: half the time)
            marks += (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            marks.append(-1)
    if marks[0] < 0:
        runs, _, trial_id = folder.rpartition("/")
        marks.append(archive.signature(runs, trial_id))
    return hash(tuple(marks))


def read_cache(runs: Path) -> CachedTables:
    """What was kept; nothing where there is no cache, or not one that this version wrote."""
    try:
        tables = [
            parquet.read_table(runs / CACHE_FOLDER / f"{name}.parquet")
            for name in CachedTables._fields
        ]
    except (OSError, pa.ArrowException):
        return EMPTY_CACHE
    marks = {(table.schema.metadata or {}).get(b"mark", b"") for table in tables}
    if len(marks) > 1 or not marks.pop().startswith(f"{CACHE_VERSION}-".encode()):
        return EMPTY_CACHE
    return CachedTables(*tables)


def without_changed_trials(known: CachedTables, signatures: dict[str, int]) -> CachedTables:
    """Without the trials that changed or are gone since."""
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
    """Columns of both; what one lacks is null there."""
    pairs = zip(known, fresh, strict=True)
    return CachedTables(*(pa.concat_tables(pair, promote_options="permissive") for pair in pairs))


def should_write(fresh: int, all_trials: int) -> bool:
    return fresh >= max(MIN_NEW_TRIALS, MIN_NEW_SHARE * all_trials)


def write_cache(runs: Path, known: CachedTables) -> None:
    """Both files under one mark; a folder that cannot be written is left as it is."""
    mark = {"mark": f"{CACHE_VERSION}-{uuid4().hex}"}
    with suppress(OSError):
        for name, table in known._asdict().items():
            buffer = pa.BufferOutputStream()
            marked = table.replace_schema_metadata(mark)
            parquet.write_table(marked, buffer, **PARQUET_OPTIONS)
            write_atomic(runs / CACHE_FOLDER / f"{name}.parquet", buffer.getvalue().to_pybytes())


def _is_in(values: pa.ChunkedArray, wanted: pa.ChunkedArray) -> pa.ChunkedArray:
    there: pa.ChunkedArray = compute.is_in(values, value_set=wanted.combine_chunks())
    return there
