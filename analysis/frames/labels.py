"""Format metric names, knob values and missing numbers for tables, figures and reports."""

import math
from collections.abc import Sequence
from typing import Any

from clip_hparam.config.text.numbers import format_number

METRIC_TITLES = {
    "test_acc1": "test accuracy, %",
    "test_acc5": "test top-5 accuracy, %",
    "selection_acc1": "selection accuracy, %",
}
SHORTEST_EXPONENT = 1e15  # whole numbers from here on are written with an exponent
MISSING_MARK = "\N{EM DASH}"


def metric_title(metric: str) -> str:
    """Return the title of a metric, or its name if it has none."""
    return METRIC_TITLES.get(metric, metric)


def decimals(largest: float) -> int:
    """Return how many decimals show four digits of a number of this size, 2 to 8."""
    size = math.floor(math.log10(largest)) if 0 < largest < math.inf else 0
    return min(max(3 - size, 2), 8)


def format_done(done: int, planned: int) -> str:
    """Return "2 of 3" while a planned run is missing, else "3"."""
    return str(done) if done == planned else f"{done} of {planned}"


def format_names(names: Sequence[str], most: int = 3) -> str:
    """Return the first names and the number of the others: "a, b, c and 5 more"."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def format_knob(value: Any) -> str:
    """Format a knob's value: 0.98, 1e-05, 1281167. pandas may have turned an int into a float."""
    if isinstance(value, float):
        is_short = value.is_integer() and abs(value) < SHORTEST_EXPONENT
        return str(int(value)) if is_short else f"{value:.4g}"
    return str(value)


def format_difference(delta: float, low: float, high: float, digits: int = 2) -> str:
    """Return "+0.31 ± 0.12", "0.00 ± 0.12" for zero, or a dash where the difference is NaN."""
    return MISSING_MARK if math.isnan(delta) else format_interval(delta, low, high, f"+.{digits}f")


def format_interval(mean: float, low: float, high: float, spec: str = ".2f") -> str:
    """Return the mean ± the half-width with equal digits: a t interval is symmetric."""
    half_width = "" if math.isnan(low) else f" ± {(high - low) / 2:{spec.lstrip('+')}}"
    return format_number(mean, spec) + half_width
