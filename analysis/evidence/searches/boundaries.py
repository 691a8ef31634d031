"""Knobs with their best value at an end of the tried range, and evidence for widening the range.

The best row alone supports nothing: of 30 random points the best is the highest or the lowest in
one of five knobs in a third of all searches without any effect. A wider range is advised only if
the values at the end are better than those beside them, by a 95 % interval.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit  # scipy.stats takes 0.8 s to import

from clip_hparam.analysis.evidence.searches.axes import plot_positions
from clip_hparam.analysis.frames.importing.cells import format_level
from clip_hparam.analysis.frames.labels import format_knob
from clip_hparam.analysis.frames.trial_table import TrialTable, is_numeric, to_json_value
from clip_hparam.analysis.stats.intervals import estimate
from clip_hparam.config.knob import is_boundary_value
from clip_hparam.config.recipe import knobs

END_SHARE = 0.1  # share of the axis: a best value this near to an end counts as being there
MIN_VALUES = 3  # distinct values: of two, one is always the best
MIN_PAIRS, MIN_ROWS = 3, 4  # matched pairs of rows; else rows at the end and beside it


class Boundary(NamedTuple):
    """A knob whose best value is at an end of the tried range.

    gain: objective at the end less that beside it, higher is better; low: of its 95 % interval,
        NaN where there are too few rows for one. beside: the values that the end is compared with.
    """

    knob: str
    value: float
    end: str  # "largest" or "smallest"
    beside: str
    gain: float
    low: float

    @property
    def is_supported(self) -> bool:
        return self.low > 0

    @property
    def sentence(self) -> str:
        """Return the advice of a supported boundary."""
        return (
            f"best {self.knob} is the {self.end} tried, {format_knob(self.value)}, and is better"
            f" than {self.beside} by {self.gain:.2g} (at least {self.low:.2g}): widen"
        )


def boundaries(table: TrialTable, trials: TrialTable, moved_together: set[str]) -> list[Boundary]:
    """Return the boundaries of the best row of `table`, in the order of its knobs.

    trials: the single trials behind the rows, for intervals. moved_together: knobs whose effects
    cannot be told apart from another one's; they, those of the data, and a value at the end of the
    legal range have no boundary.
    """
    best = table.best
    if best is None or table.gains.nunique() < 2:
        return []
    found = []
    for knob in table.knobs:
        column = table.rows[knob]
        may_widen = knob not in moved_together and not knob.startswith("data.")
        if not may_widen or not is_numeric(column) or column.nunique() < MIN_VALUES:
            continue
        end = _end_of(knob, column, best[knob])
        if end and not _is_legal_end(knob, best[knob]):
            value = to_json_value(best[knob])
            found.append(Boundary(knob, value, end, *_support(trials, knob, end == "largest")))
    return found


def _end_of(knob: str, column: pd.Series, value: float) -> str:
    """Return which end of the tried range the value is at, "" for neither."""
    if pd.isna(value):
        return ""
    axis = plot_positions(knob, column)
    position = axis[column == value].iloc[0]
    share = (position - axis.min()) / (axis.max() - axis.min())
    if _has_levels(column):
        return {column.max(): "largest", column.min(): "smallest"}.get(value, "")
    return "largest" if share >= 1 - END_SHARE else "smallest" if share <= END_SHARE else ""


def _has_levels(column: pd.Series) -> bool:
    """Return whether values repeat, as in a grid, or are so few that each is a level."""
    return column.nunique() <= max(len(column) / 2, 2 * MIN_VALUES)


def _is_legal_end(knob: str, value: float) -> bool:
    return knob in knobs() and is_boundary_value(float(value), knobs()[knob].metadata["legal"])


def _support(trials: TrialTable, knob: str, is_largest: bool) -> tuple[str, float, float]:
    """Return the values compared with the end, the gain, and the low end of its interval."""
    scored, gains = trials.scored, trials.gains
    column = scored[knob].astype(float)
    if _has_levels(column):
        levels = np.sort(column.dropna().unique())[:: -1 if is_largest else 1]
        at, beside = column == levels[0], column == levels[min(1, len(levels) - 1)]
        text = f"{knob}={format_knob(to_json_value(levels[min(1, len(levels) - 1)]))}"
        pairs = _matched(scored, gains, trials, knob, at, beside)
        if len(pairs) >= MIN_PAIRS:
            found = estimate(pairs)
            return text, found.mean, found.low
    else:
        axis = plot_positions(knob, column)
        thirds = np.linspace(axis.min(), axis.max(), 4)
        outer = axis >= thirds[2] if is_largest else axis <= thirds[1]
        at, beside = outer, axis.between(thirds[1], thirds[2]) & ~outer
        text = "the middle third of the range"
    return (text, *_welch(gains[at].to_numpy(), gains[beside].to_numpy()))


def _matched(
    scored: pd.DataFrame, gains: pd.Series, trials: TrialTable, knob: str,
    at: pd.Series, beside: pd.Series,
) -> np.ndarray:  # fmt: skip
    """Return the gains at the end over neighbouring values, of rows that are equal otherwise."""
    others = [name for name in trials.knobs if name != knob]
    keys = [*others, *([trials.seed] if trials.seed else [])]
    if not keys:
        return np.empty(0)
    key: pd.Series = scored[keys].map(format_level).agg("\x00".join, axis=1)
    means = [gains[rows].groupby(key[rows]).mean() for rows in (at, beside)]
    return (means[0] - means[1]).dropna().to_numpy()


def _welch(at: np.ndarray, beside: np.ndarray) -> tuple[float, float]:
    """Return the difference of two means and the low end of its 95 % interval; NaN for too few."""
    if min(len(at), len(beside)) < MIN_ROWS:
        return math.nan, math.nan
    errors = [float(values.var(ddof=1)) / len(values) for values in (at, beside)]
    difference, error = float(at.mean() - beside.mean()), math.sqrt(sum(errors))
    if error == 0:
        return difference, math.nan
    parts = zip(errors, (at, beside), strict=True)
    freedom = error**4 / sum(e**2 / (len(values) - 1) for e, values in parts)
    return difference, difference - float(stdtrit(freedom, 0.975)) * error
