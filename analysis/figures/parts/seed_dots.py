"""A row of a dot plot: the mean with its interval, and below them a dot per seed."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from clip_hparam.analysis.figures import style

SEEDS_BELOW = 0.24  # distance of the dots of seeds from the mean, in rows
SEEDS_BESIDE = 4.5  # the same in points, where levels are on the x axis
LEGAL_PERCENT = (0.0, 100.0)


def clip_interval(low: float, high: float, legal: tuple[float, float]) -> tuple[float, float]:
    """Return the interval within the legal range: t intervals of few seeds may exceed it."""
    return min(max(low, legal[0]), legal[1]), min(max(high, legal[0]), legal[1])


def legal_range(metric: str) -> tuple[float, float]:
    """Return the legal range of a metric by its title: a percentage, or any number."""
    return LEGAL_PERCENT if metric.endswith("%") else (-math.inf, math.inf)


def plot_seeds(axes: Axes, row: float, values: Sequence[float], label: str | None = None) -> None:
    """Plot a small dot per seed below a row."""
    axes.plot(values, [row + SEEDS_BELOW] * len(values), "o", label=label, **_seed_marker())


def plot_seeds_beside(axes: Axes, levels: Sequence[tuple[float, Sequence[float]]]) -> None:
    """Plot a small dot per seed on the right of each level (x, values of its seeds)."""
    figure = style.root_figure(axes)
    beside = ScaledTranslation(style.points(SEEDS_BESIDE) / 72, 0, figure.dpi_scale_trans)
    x = [value for value, seeds in levels for _ in seeds]
    y = [seed for _, seeds in levels for seed in seeds]
    moved = axes.transData + beside
    axes.plot(x, y, "o", label=style.ONE_SEED, transform=moved, **_seed_marker())


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


def _seed_marker() -> dict[str, Any]:
    return {
        "markersize": style.points(2.2),
        "markerfacecolor": "none",
        "markeredgecolor": style.SEED_COLOUR,
        "markeredgewidth": style.points(0.6),
        "zorder": 2,
    }
