"""The positions of trials on the axis of each knob, on its declared scale, with ticks."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.searches.importance import axis_positions
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts.knob_scale import is_log
from clip_hparam.analysis.figures.parts.ticks import number_ticks
from clip_hparam.analysis.frames.labels import format_knob
from clip_hparam.analysis.frames.trial_table import TrialTable, is_numeric

MISSING_LABEL, MAX_TICKS = "(missing)", 6
FEW_LEVELS = 6  # with at most so many levels of a knob, its strength is that of their means


class KnobAxis(NamedTuple):
    """The position of each trial on the axis of one knob, and the labels of the axis."""

    knob: str
    positions: list[float]
    ticks: dict[float, str]  # position -> label


class ParallelCoordinates(NamedTuple):
    """The trials that have the objective: their values of it and positions on each knob's axis.

    objective: title of the objective.
    """

    objective: str
    minimize: bool
    values: list[float]
    axes: list[KnobAxis]
    best: int  # index of the best trial


def parallel_coordinates(table: TrialTable) -> ParallelCoordinates:
    """Return the positions of all scored trials on the axes of all knobs.

    Raises:
        ValueError: no row has the objective, or the table has no knob.
    """
    if table.best is None:
        raise ValueError(f"no row has {table.objective}: nothing to plot")
    if not table.knobs:
        raise ValueError("no knob varies among the trials: nothing to plot")
    values = table.scored[table.objective].astype(float).to_list()
    axes = [_knob_axis(table, knob) for knob in table.knobs]
    best = int(table.gains.to_numpy().argmax())
    return ParallelCoordinates(table.objective_title, table.minimize, values, axes, best)


def strongest_knobs(data: ParallelCoordinates, limit: int) -> list[KnobAxis]:
    """Return at most `limit` axes, those that explain most of the objective, in their order.

    The share that is explained is that of the means of few levels, else of the ranks.
    """
    if len(data.axes) <= limit:
        return data.axes
    values = pd.Series(data.values)
    shares = [_explained_share(pd.Series(axis.positions), values) for axis in data.axes]
    chosen = set(np.argsort(shares)[::-1][:limit])
    return [axis for number, axis in enumerate(data.axes) if number in chosen]


def _explained_share(positions: pd.Series, values: pd.Series) -> float:
    if positions.nunique() < 2 or values.nunique() < 2:
        return 0.0
    if positions.nunique() <= FEW_LEVELS:
        means = values.groupby(positions).transform("mean")
        return float(means.var(ddof=0) / values.var(ddof=0))
    return float(positions.rank().corr(values.rank())) ** 2


def _knob_axis(table: TrialTable, knob: str) -> KnobAxis:
    """Return the axis of a knob on its declared scale, with ticks at few levels or a grid."""
    values = table.scored[knob]
    if not is_numeric(values):
        raw = axis_positions(values)
        levels = sorted(raw.unique())
        ticks = {float(i): style.safe_text(str(level), 16) for i, level in enumerate(levels)}
        return KnobAxis(knob, [float(levels.index(level)) for level in raw], ticks)
    log = is_log(knob, values)
    raw = axis_positions(values, decades=0 if log else math.inf)
    positions = [float(position) for position in raw]
    known = {
        position: MISSING_LABEL if pd.isna(value) else format_knob(value)
        for position, value in zip(positions, values, strict=True)
    }
    if len(known) > MAX_TICKS:
        outside = values.isna() | ((values == 0) & log)
        apart = {float(at): known[float(at)] for at in raw[outside]}
        inside = values[~outside].astype(float)
        known = {**apart, **scale_ticks(float(inside.min()), float(inside.max()), log=log)}
    return KnobAxis(knob, positions, dict(sorted(known.items())))


def scale_ticks(low: float, high: float, *, log: bool) -> dict[float, str]:
    """Return round numbers between two values, by their positions on the axis."""
    if not log:
        numbers = number_ticks(4).tick_values(low, high)
        return {float(n): format_knob(float(n)) for n in numbers if low <= n <= high}
    for steps in ((1,), (1, 3), (1, 2, 5), range(1, 10)):
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        numbers = [step * 10.0**decade for decade in decades for step in steps]
        within = [n for n in numbers if low * (1 - 1e-9) <= n <= high * (1 + 1e-9)]
        if len(within) > 1:
            return {math.log10(n): _short_number(n) for n in within}
    return {math.log10(n): f"{n:.3g}" for n in (low, high)}


def _short_number(value: float) -> str:
    """Return 1e-4, 3e-4, 0.01 or 20: a number of one digit that is small or large in short."""
    digit, _, exponent = f"{value:.0e}".partition("e")
    return f"{digit}e{int(exponent)}" if abs(int(exponent)) > 2 else format_knob(value)
