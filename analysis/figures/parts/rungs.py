"""The rungs of a ladder as data: accuracies in percent, costs, and the values of single seeds."""

import math
from typing import NamedTuple

NAN = math.nan


class Bar(NamedTuple):
    """One rung; accuracies in percent, NaN where a run is missing."""

    label: str
    acc1: float
    low: float
    high: float
    cost: float
    missing: str = ""  # "2 of 5 runs", or empty
    seeds: tuple[float, ...] = ()  # accuracies of the runs that are done


class Panel(NamedTuple):
    """The rungs of one source: our records, or the paper."""

    title: str
    cost_unit: str
    bars: list[Bar]
    whiskers: str = ""
