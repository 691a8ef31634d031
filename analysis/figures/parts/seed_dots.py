"""A row of a dot plot: the mean with its interval, and below them a dot per seed."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from clip_hparam.analysis.figures import style

SEEDS_BELOW = 0.24  # distance of the dots of seeds from the mean, in rows
LEGAL_PERCENT = (0.0, 100.0)


def clip_interval(low: float, high: float, legal: tuple[float, float]) -> tuple[float, float]:
    """Return the interval within the legal range: t intervals of few seeds may exceed it."""
    return min(max(low, legal[0]), legal[1]), min(max(high, legal[0]), legal[1])


def plot_seeds(axes: Axes, row: float, values: Sequence[float], label: str | None = None) -> None:
    """Plot a small dot per seed below a row."""
    axes.plot(
        values, [row + SEEDS_BELOW] * len(values), "o", markersize=style.points(2.2), label=label,
        markerfacecolor="none", markeredgecolor=style.SEED_COLOUR,
        markeredgewidth=style.points(0.6), zorder=2,
    )  # fmt: skip


def plot_interval(
    axes: Axes, row: float, ends: tuple[float, float], label: str | None = None
) -> None:
    """Plot the line of an interval with short ends; nothing if its ends are unknown."""
    if math.isnan(ends[0] + ends[1]):
        return
    axes.errorbar(
        [sum(ends) / 2], [row], xerr=[[(ends[1] - ends[0]) / 2]] * 2, fmt="none", label=label,
        ecolor=style.INK_COLOUR, elinewidth=style.points(1.1), capsize=style.points(2),
        capthick=style.points(1.1), zorder=3,
    )  # fmt: skip
