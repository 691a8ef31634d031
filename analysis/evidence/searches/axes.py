"""The axis of a column of trials: logarithmic or linear, and the position of each value on it."""

import math

import pandas as pd

from clip_hparam.analysis.evidence.searches.importance import axis_positions
from clip_hparam.analysis.frames.trial_table import is_numeric
from clip_hparam.config.recipe import knobs

PLOT_DECADES = 1  # positive values over a wider range get a logarithmic axis


def is_logarithmic(name: str, values: pd.Series) -> bool:
    """Return whether the axis of a column is logarithmic.

    A knob declared for all positive numbers is, where it varies; a knob of a bounded interval is
    not. Other columns are where their positive values span more than `PLOT_DECADES` decades.
    """
    present = values.dropna().astype(float)
    positive = present[present > 0]
    if positive.nunique() < 2 or present.min() < 0:
        return False
    legal = str(knobs()[name].metadata["legal"]) if name in knobs() else ""
    if legal and "inf)" not in legal:
        return False
    wide = bool(positive.max() / positive.min() > 10**PLOT_DECADES)
    return wide or legal.startswith("(0, inf")


def plot_positions(name: str, values: pd.Series) -> pd.Series:
    """Return the positions on the column's axis, logarithms where the axis is logarithmic."""
    logarithmic = is_numeric(values) and is_logarithmic(name, values)
    return axis_positions(values, 0.0 if logarithmic else math.inf)
