"""The scale of a knob's axis: as its field declares; for a knob of an import, by its values."""

from collections.abc import Iterable
from typing import Literal

import numpy as np

from clip_hparam.config.recipe import knobs

MAX_GAP_RATIO = 10  # with a larger ratio of gaps the levels are named, not placed on a scale
LOG_SCALE_RATIO = 10  # undeclared positive values that span this ratio get a logarithmic axis
Scale = Literal["linear", "log", "levels"]


def declared_scale(knob: str) -> str:
    """Return "linear" or "log" as the knob of a recipe declares; "" for any other name."""
    field = knobs().get(knob)
    return str(field.metadata["scale"]) if field else ""


def is_log(knob: str, values: Iterable[float]) -> bool:
    """Return whether the axis of a knob is logarithmic; zeros have no place on such an axis.

    The axis of an undeclared knob is logarithmic if its positive values span a decade.
    """
    known = np.asarray([value for value in values if value > 0], dtype=float)
    if len(known) < 2 or known.max() == known.min():
        return False
    declared = declared_scale(knob)
    return declared == "log" or (not declared and known.max() / known.min() >= LOG_SCALE_RATIO)


def axis_scale(values: Iterable[float], knob: str = "") -> Scale:
    """Return the scale of an axis of levels: "levels" where no scale spaces them evenly enough."""
    ordered = np.unique(np.asarray(list(values), dtype=float))
    if np.isnan(ordered).any() or len(ordered) < 2:
        return "levels"
    log = is_log(knob, ordered) and ordered[0] > 0
    gaps = np.diff(np.log(ordered) if log else ordered)
    if gaps.max() / gaps.min() > MAX_GAP_RATIO:
        return "levels"
    return "log" if log else "linear"
