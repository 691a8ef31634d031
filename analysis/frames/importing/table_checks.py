"""Refuse columns and rows that cannot have the roles that the user gives, in one sentence each."""

import re
from collections.abc import Collection

import pandas as pd

from clip_hparam.analysis.frames.importing.source import find_column

STEP_COLUMNS = frozenset(
    ("epoch", "step", "_step", "global_step", "iteration", "training_iteration")
)
MIN_SCALE_GAP = 5  # between the largest fraction and the smallest percentage of a mixed column
ACCURACY_NAME = re.compile(r"(^|[^a-z])(acc|accuracy|top)[-_@]?\d*([^a-z]|$)")


def validate_columns(table: pd.DataFrame, wanted: list[str]) -> None:
    """Raise ValueError if a column does not exist or is wanted for two roles."""
    known = [str(column) for column in table.columns]
    for column in wanted:
        find_column(column, known)
    repeated = sorted({column for column in wanted if wanted.count(column) > 1})
    if repeated:
        raise ValueError(
            f"column {repeated[0]} has two roles: give it one of knob, metric, name, seed, state"
        )


def validate_names(trials: pd.DataFrame, name: str | None) -> None:
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


def validate_steps(trials: pd.DataFrame, keys: list[str], used: Collection[str | None]) -> None:
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


def validate_scale(values: pd.Series) -> None:
    """Raise ValueError if a column that is named as an accuracy mixes fractions and percent."""
    name = str(values.name)
    small, large = values[(values > 0) & (values <= 1)], values[values > 1]
    is_accuracy = ACCURACY_NAME.search(name.lower()) and values.dropna().between(0, 100).all()
    if not is_accuracy or small.empty or large.empty:
        return
    if large.min() >= MIN_SCALE_GAP * small.max():
        raise ValueError(
            f"{name} is {small.iloc[0]:g} in {small.index[0]} and {large.iloc[0]:g} in"
            f" {large.index[0]}: are these fractions and percent? Correct the table, or type"
            f" --percent {name} if all its values are percent"
        )


def _step_columns(trials: pd.DataFrame) -> list[str]:
    return [c for c in map(str, trials) if c.lower().rpartition("/")[2] in STEP_COLUMNS]
