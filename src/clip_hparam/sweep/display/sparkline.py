"""Curves in one line of text."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

BARS = "▁▂▃▄▅▆▇█"
GAP_MARK = " "
MAX_POINTS = 48


def sparkline(values: Sequence[float | None], points: int = MAX_POINTS) -> str:
    """Return a character per value, its height between the least and the largest of them.

    More values than `points` are averaged in equal parts; a missing value is a blank.
    """
    shown = _averaged(values, points)
    known = [value for value in shown if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        GAP_MARK if value is None else BARS[round((value - low) * scale)] for value in shown
    )


def _averaged(values: Sequence[float | None], points: int) -> list[float | None]:
    """Return at most `points` values: means of equal parts, None for a part without a number."""
    finite = [v if v is not None and math.isfinite(v) else None for v in values]
    if len(finite) <= points:
        return finite
    edges = [len(finite) * number // points for number in range(points + 1)]
    parts = (finite[start:end] for start, end in pairwise(edges))
    return [_mean(value for value in part if value is not None) for part in parts]


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None
