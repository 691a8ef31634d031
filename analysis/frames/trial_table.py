"""A table of trials with knobs, metrics and an objective, from records or from elsewhere.

The figures and the summary of a search read only this table, so they also work on an imported one
(frames/importing/import_table.py).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

from clip_hparam.analysis.frames.labels import metric_title


class TrialTable(NamedTuple):
    """Trials by knobs and metrics. A missing knob is a level of its own."""

    rows: pd.DataFrame  # a column per knob and metric; index: names of the trials
    knobs: list[str]
    metrics: list[str]  # includes the objective
    objective: str
    minimize: bool
    duplicates: int = 0  # rows equal to another one in all but the name
    incomplete: int = 0  # rows without any knob, left out by an import
    twins: Sequence[Sequence[str]] = ()  # names of the first duplicates, with the row they equal
    left_out: Mapping[str, int] = MappingProxyType({})  # rows left out by their state
    repeated: int = 0  # repetitions of a row including its name, left out by an import
    renamed: int = 0  # rows whose name another row had: "a (2)"
    unseeded: int = 0  # rows without a seed, left out by an import
    seed: str = ""  # column of `rows` that makes rows of equal knobs replicates
    averaged: int = 0  # rows that are averaged in the rows; 0: each row is a trial
    ours: bool = False  # metrics have the names and units of our records

    @property
    def objective_title(self) -> str:
        """Title of the objective; that of an imported one is its name, as its unit is unknown."""
        return metric_title(self.objective) if self.ours else self.objective

    @property
    def scored(self) -> pd.DataFrame:
        """Rows that have the objective."""
        return self.rows[self.rows[self.objective].notna()]

    @property
    def gains(self) -> pd.Series:
        """Objective of the scored rows with the sign such that higher is better."""
        values = self.scored[self.objective].astype(float)
        return -values if self.minimize else values

    @property
    def best(self) -> pd.Series | None:
        """Row with the best objective, ties to the earlier; None if no row has an objective."""
        return self.scored.iloc[int(self.gains.to_numpy().argmax())] if len(self.gains) else None


def add_columns(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """Return the frame with new columns at its end.

    `DataFrame.assign` prints a PerformanceWarning if the frame has over 100 columns.
    """
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis="columns")


def is_numeric(values: pd.Series) -> bool:
    """Return whether the column has a number, and no text and no truth value."""
    present = values.dropna()
    return len(present) > 0 and not any(isinstance(value, (bool, str)) for value in present)


def to_json_value(value: Any) -> Any:
    """Return a value of a frame as a JSON value; None if it is missing."""
    if value is None or value is pd.NA or value != value:
        return None
    return value.item() if hasattr(value, "item") else value
