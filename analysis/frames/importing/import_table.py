"""Turn a table of results from elsewhere into a TrialTable: its columns, its rows, their names."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd

from clip_hparam.analysis.frames.importing.cells import validate_seeds
from clip_hparam.analysis.frames.importing.levels import to_ids, to_levels, to_numbers, to_seeds
from clip_hparam.analysis.frames.importing.source import find_column
from clip_hparam.analysis.frames.importing.states import complete_rows
from clip_hparam.analysis.frames.importing.table_checks import (
    validate_columns,
    validate_names,
    validate_scale,
    validate_steps,
)
from clip_hparam.analysis.frames.trial_table import TrialTable

MAX_TWINS = 5  # duplicates that are named


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
    trials, counts = _trials(table, knobs, metrics, name, seed, state)
    levels, seeds, excluded = _usable_rows(trials, knobs, seed, decimal, knobs_recorded)
    kept, duplicated = trials.loc[levels.index], trials.duplicated()[levels.index]
    columns = dict(levels.items()) | _metric_columns(kept, metrics, decimal, percent)
    values = pd.DataFrame(columns | ({seed: seeds} if seed else {}), index=kept.index)
    counts |= {**excluded, "duplicates": int(duplicated.sum()), "twins": _twins(kept, duplicated)}
    counts["seed"] = seed or ""
    imported = TrialTable(values, list(knobs), metrics, objective, minimize, **counts)
    if seed:
        validate_seeds(imported, duplicated.tolist())
    return imported


def _trials(
    table: pd.DataFrame,
    knobs: Sequence[str],
    metrics: Sequence[str],
    name: str | None,
    seed: str | None,
    state: str | None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the rows that are trials, and counts of the others.

    Raises:
        ValueError: a column does not exist or has two roles, or rows are steps of one trial.
    """
    validate_columns(table, [*knobs, *metrics, *filter(None, (name, seed, state))])
    trials, counts = _distinct_rows(table, name, state)
    if not name and not state:  # else a row is a trial by its name, or a run by its state
        validate_steps(trials, [*knobs, *filter(None, (seed,))], {*knobs, *metrics, seed})
    return trials, counts


def _usable_rows(
    trials: pd.DataFrame, knobs: Sequence[str], seed: str | None, decimal: str, knobs_recorded: bool
) -> tuple[pd.DataFrame, pd.Series, dict[str, int]]:
    """Return levels and seeds of the rows that have knobs and a seed, and counts of the others."""
    parsed = {knob: to_levels(trials[knob], decimal) for knob in knobs}
    levels = pd.DataFrame(parsed, index=trials.index)
    empty = levels.isna().all(axis="columns") & (bool(knobs) and not knobs_recorded)
    seeds = to_seeds(trials[seed]) if seed else pd.Series(0, index=trials.index)
    kept = seeds.notna() & ~empty
    unseeded = seeds.isna() & ~empty
    counts = {"incomplete": int(empty.sum()), "unseeded": int(unseeded.sum())}
    return levels[kept], seeds[kept].astype("int64"), counts


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
            validate_scale(numbers)
    return columns


def _distinct_rows(
    table: pd.DataFrame, name: str | None, state: str | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the complete rows without repetitions by unique names, and counts of the others."""
    complete, left_out = complete_rows(table[state]) if state else (slice(None), {})
    listed = table[complete]
    once = listed.drop_duplicates() if name else listed
    named = once.set_axis(_row_names(once, name), axis="index")
    validate_names(named, name)
    renamed = int(named.index.duplicated().sum())
    trials = named.drop(columns=[name] if name else [])
    unique = trials.set_axis(_unique_names(named.index.to_list()), axis="index")
    repeated = len(listed) - len(once)
    return unique, {"left_out": left_out, "repeated": repeated, "renamed": renamed}


def _twins(trials: pd.DataFrame, duplicated: pd.Series) -> list[list[str]]:
    """Return the names of the first duplicates, each with the first row that it equals."""
    texts = trials.astype(object).where(trials.notna(), "")
    twins = []
    for name in trials.index[duplicated.to_numpy()][:MAX_TWINS]:
        equal = (texts == texts.loc[name]).all(axis="columns").to_numpy()
        twins.append([str(name), str(trials.index[equal][0])])
    return twins


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


def _row_names(table: pd.DataFrame, name: str | None) -> list[str]:
    """Return the values of column `name`; "row N", the row of the file from 1, without a value."""
    numbered = [f"row {number + 1}" for number in table.index]
    if name is None:
        return numbered
    ids = to_ids(table[name])
    return [text or row for text, row in zip(ids, numbered, strict=True)]
