"""Import a table of results from elsewhere as a TrialTable, and store it in a folder.

The folder holds `study.json` (roles of the columns, counts of rows left out) and `rows.parquet`.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from clip_hparam.analysis.frames.importing.cells import validate_seeds
from clip_hparam.analysis.frames.importing.formats import read_source
from clip_hparam.analysis.frames.importing.levels import to_ids, to_levels, to_numbers, to_seeds
from clip_hparam.analysis.frames.importing.source import find_column
from clip_hparam.analysis.frames.importing.states import complete_rows
from clip_hparam.analysis.frames.json_files import UnreadableError, read_record_json
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.records.atomic import utc_timestamp, write_atomic, write_json
from clip_hparam.records.record import SCHEMA_VERSION

HEAD_FILE, ROWS_FILE = "study.json", "rows.parquet"
STEP_COLUMNS = frozenset(
    ("epoch", "step", "_step", "global_step", "iteration", "training_iteration")
)
MAX_TWINS = 5  # duplicates that are named
MIN_SCALE_GAP = 5  # between the largest fraction and the smallest percentage of a mixed column
ACCURACY_NAME = re.compile(r"(^|[^a-z])(acc|accuracy|top)[-_@]?\d*([^a-z]|$)")


def read_table(path: Path) -> pd.DataFrame:
    """Read a table with a row per trial; see `importing.formats.read_source`."""
    return read_source(path).rows


def to_trial_table(
    table: pd.DataFrame,
    knobs: Sequence[str],
    metrics: Sequence[str],
    objective: str,
    minimize: bool = False,
    name: str | None = None,
    *,
    seed: str | None = None,
    state: str | None = None,
    decimal: str = ".",
    percent: Collection[str] = (),
    knobs_recorded: bool = False,
) -> TrialTable:
    """Select the columns of knobs and metrics, and the rows that are results.

    Left out and counted are rows of another state than complete, without any knob, without a seed
    if `seed` is given, and repetitions of a row including its name. Counted and kept are
    duplicates, which are equal in every column but `name`, and rows that differ and have one name.

    seed: column that makes rows of equal knobs replicates, paired between cells.
    decimal: mark of numbers in columns of text. percent: metrics whose values up to 1 are percent.
    knobs_recorded: the source recorded the knobs of each trial, so that None is a level of a knob.

    Raises:
        ValueError: a column does not exist or has two roles, a metric is not numeric or mixes
            fractions with percent, rows are steps of one trial, or a seed is in a cell twice.
    """
    metrics = list(dict.fromkeys([*metrics, objective]))
    _validate_columns(table, [*knobs, *metrics, *filter(None, (name, seed, state))])
    trials, counts = _distinct_rows(table, name, state)
    if not name and not state:  # else a row is a trial by its name, or a run by its state
        _validate_steps(trials, [*knobs, *filter(None, (seed,))], {*knobs, *metrics, seed})
    levels = {knob: to_levels(trials[knob], decimal) for knob in knobs}
    empty = pd.DataFrame(levels, index=trials.index).isna().all(axis="columns")
    empty &= bool(knobs) and not knobs_recorded
    seeds = to_seeds(trials[seed]) if seed else pd.Series(0, index=trials.index)
    kept = seeds.notna() & ~empty
    columns = {knob: values[kept] for knob, values in levels.items()}
    columns |= _metric_columns(trials[kept], metrics, decimal, percent)
    if seed:
        columns[seed] = seeds[kept].astype("int64")
    duplicated = trials.duplicated()[kept]
    imported = TrialTable(
        pd.DataFrame(columns, index=trials.index[kept]),
        list(knobs),
        metrics,
        objective,
        minimize,
        duplicates=int(duplicated.sum()),
        twins=_twins(trials[kept], duplicated),
        incomplete=int(empty.sum()),
        unseeded=int((seeds.isna() & ~empty).sum()),
        seed=seed or "",
        **counts,
    )
    if seed:
        validate_seeds(imported, duplicated.tolist())
    return imported


def _metric_columns(
    trials: pd.DataFrame, metrics: Sequence[str], decimal: str, percent: Collection[str]
) -> dict[str, pd.Series]:
    """Return the numbers of each metric.

    Raises:
        ValueError: a metric is not numeric, or mixes fractions with percent; `percent` names a
            column that is no metric.
    """
    for metric in percent:
        find_column(metric, metrics)
    columns = {metric: to_numbers(trials[metric], decimal) for metric in metrics}
    for metric, numbers in columns.items():
        if metric not in percent:
            _validate_scale(numbers)
    return columns


def _distinct_rows(
    table: pd.DataFrame, name: str | None, state: str | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the complete rows without repetitions by their unique names, and what was counted."""
    complete, left_out = complete_rows(table[state]) if state else (slice(None), {})
    listed = table[complete]
    once = listed.drop_duplicates() if name else listed
    named = once.set_axis(_row_names(once, name), axis="index")
    _validate_names(named, name)
    renamed = int(named.index.duplicated().sum())
    trials = named.drop(columns=[name] if name else [])
    unique = trials.set_axis(_unique_names(named.index.to_list()), axis="index")
    repeated = len(listed) - len(once)
    return unique, {"left_out": left_out, "repeated": repeated, "renamed": renamed}


def write_trial_table(table: TrialTable, source: Path, folder: Path) -> list[Path]:
    """Write both files atomically and return their paths.

    Raises:
        OSError: the folder cannot be written.
        ValueError: the folder holds records of trials.
    """
    if any(folder.glob("*/recipe.json")):
        raise ValueError(f"{folder} holds trials of ours: name another folder with --out")
    names = pd.DataFrame({_unused_column(table): table.rows.index}, index=table.rows.index)
    content = pd.concat([names, table.rows], axis="columns").reset_index(drop=True)
    write_atomic(folder / ROWS_FILE, content.to_parquet(index=False))
    digest = hashlib.sha256(source.read_bytes()).hexdigest() if source.is_file() else None
    facts = {key: value for key, value in table._asdict().items() if key != "rows"}
    facts["left_out"] = dict(table.left_out)
    head = {
        "schema": SCHEMA_VERSION,
        "source": source.name,
        "sha256": digest,
        "imported": utc_timestamp(),
    }
    write_json(folder / HEAD_FILE, {**head, **facts})
    return [folder / HEAD_FILE, folder / ROWS_FILE]


def read_trial_table(folder: Path) -> TrialTable:
    """Read the table that `write_trial_table` wrote, also in earlier versions.

    Raises:
        UnreadableError: a file is missing, cut, or of a newer schema.
    """
    facts = read_record_json(folder / HEAD_FILE)
    defaults = TrialTable._field_defaults
    try:
        rows = pd.read_parquet(folder / ROWS_FILE)
        rows = rows.set_index(rows.columns[0])
        names = [key for key in TrialTable._fields if key != "rows"]
        table = TrialTable(
            rows,
            **{key: facts[key] for key in names if key in facts or key not in defaults},
        )
        rows[_stored_columns(table)]  # raises KeyError if a column is missing
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise UnreadableError(
            f"{folder / ROWS_FILE} is not what {HEAD_FILE} says: import again"
        ) from error
    return table


def _stored_columns(table: TrialTable) -> list[str]:
    return [*table.knobs, *table.metrics, *([table.seed] if table.seed else [])]


def _twins(trials: pd.DataFrame, duplicated: pd.Series) -> list[list[str]]:
    """Return the names of the first duplicates, each with the first row that it equals."""
    texts = trials.astype(object).where(trials.notna(), "")
    twins = []
    for name in trials.index[duplicated.to_numpy()][:MAX_TWINS]:
        equal = (texts == texts.loc[name]).all(axis="columns").to_numpy()
        twins.append([str(name), str(trials.index[equal][0])])
    return twins


def _validate_columns(table: pd.DataFrame, wanted: list[str]) -> None:
    known = [str(column) for column in table.columns]
    for column in wanted:
        find_column(column, known)
    repeated = sorted({column for column in wanted if wanted.count(column) > 1})
    if repeated:
        raise ValueError(
            f"column {repeated[0]} cannot be two things: knob, metric, name, seed or state"
        )


def _validate_names(trials: pd.DataFrame, name: str | None) -> None:
    """Raise ValueError if the rows of one name are steps of one trial."""
    repeated = trials[trials.index.duplicated(keep=False)]
    if repeated.empty:
        return
    first = repeated.loc[[repeated.index[0]]]
    for column in _step_columns(trials):
        if first[column].nunique() > 1:
            raise ValueError(
                f"{first.index[0]!r} in column {name} names {len(first)} rows that differ in"
                f" {column}: keep one row per trial, such as its last {column}"
            )


def _validate_steps(trials: pd.DataFrame, keys: list[str], used: Collection[str | None]) -> None:
    """Raise ValueError if rows that are equal in `keys` differ in their epoch or step."""
    for column in _step_columns(trials.drop(columns=list(filter(None, used)))):
        texts = trials[keys].astype(str)
        rows = texts.assign(**{column: trials[column]})
        repeated = texts.duplicated(keep=False) & ~rows.duplicated(keep=False)
        if keys and repeated.any():
            raise ValueError(
                f"rows of equal knobs, such as {repeated.idxmax()}, differ in {column}: keep one"
                f" row per trial, such as its last {column}, or name the trials with --name"
            )


def _step_columns(trials: pd.DataFrame) -> list[str]:
    return [c for c in map(str, trials) if c.lower().rpartition("/")[2] in STEP_COLUMNS]


def _unique_names(names: Sequence[str]) -> list[str]:
    """Return the names; a name that stands for several rows gets a number, "a", "a (2)"."""
    taken, seen, unique = set(names), Counter[str](), []
    for name in names:
        seen[name] += 1
        new = name if seen[name] == 1 else f"{name} ({seen[name]})"
        while new != name and new in taken:
            new = f"{new}'"
        taken.add(new)
        unique.append(new)
    return unique


def _validate_scale(values: pd.Series) -> None:
    """Raise ValueError if a column that is named as an accuracy mixes fractions and percent."""
    name = str(values.name)
    small, large = values[(values > 0) & (values <= 1)], values[values > 1]
    is_accuracy = ACCURACY_NAME.search(name.lower()) and values.dropna().between(0, 100).all()
    if not is_accuracy or small.empty or large.empty:
        return
    if large.min() >= MIN_SCALE_GAP * small.max():
        raise ValueError(
            f"{name} is {small.iloc[0]:g} in {small.index[0]} and {large.iloc[0]:g} in"
            f" {large.index[0]}: are these fractions and percent? Mend the table, or type"
            f" --percent {name} if all its values are percent"
        )


def _row_names(table: pd.DataFrame, name: str | None) -> list[str]:
    """Return the values of column `name`; "row N", the row of the file from 1, without a value."""
    numbered = [f"row {number + 1}" for number in table.index]
    if name is None:
        return numbered
    ids = to_ids(table[name])
    return [text or row for text, row in zip(ids, numbered, strict=True)]


def _unused_column(table: TrialTable) -> str:
    """Return a name for the index column that no other column has."""
    name = "name"
    while name in table.rows:
        name = f"_{name}"
    return name
