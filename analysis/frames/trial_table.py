"""Trials as a search sees them: knobs, metrics, an objective; ours or anybody's.

The figures and the summary of a search work on this alone, so they work on a table from elsewhere
(analysis/importing.py) as on our records.
"""

from typing import Any, NamedTuple

import pandas as pd


class TrialTable(NamedTuple):
    """`rows` has a column a knob and a metric; its index names the trials.

    A missing cell of a knob is a level of its own; a missing metric is no number and no level.
    """

    rows: pd.DataFrame
    knobs: list[str]
    metrics: list[str]  # the objective among them
    objective: str
    minimize: bool
    duplicates: int = 0
    incomplete: int = 0

    @property
    def scored(self) -> pd.DataFrame:
        """The rows that have the objective."""
        return self.rows[self.rows[self.objective].notna()]

    @property
    def gains(self) -> pd.Series:
        """The objective with its sign such that more is better, of the scored rows."""
        values = self.scored[self.objective].astype(float)
        return -values if self.minimize else values

    @property
    def best(self) -> pd.Series | None:
        """The row with the best objective, ties to the earlier; None if no row has one."""
        return self.scored.iloc[int(self.gains.to_numpy().argmax())] if len(self.gains) else None


def is_numeric(values: pd.Series) -> bool:
    """Whether the cells that are there are numbers, and there is one."""
    there = values.dropna()
    return len(there) > 0 and not any(isinstance(value, (bool, str)) for value in there)


def to_json_value(value: Any) -> Any:
    """A cell as JSON has it: null where it is missing."""
    if value is None or value is pd.NA or value != value:
        return None
    return value.item() if hasattr(value, "item") else value
