"""Panels of a ladder, a row per rung: accuracies with intervals and seeds, and relative costs."""

import math
from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts.fitting import label_rows
from clip_hparam.analysis.figures.parts.rungs import NAN, Bar, Panel
from clip_hparam.analysis.figures.parts.seed_dots import (
    LEGAL_PERCENT,
    clip_interval,
    plot_interval,
    plot_seeds,
)
from clip_hparam.analysis.figures.parts.ticks import number_ticks

MARGIN = 0.07  # share of an axis of accuracies that is empty at each end
COST_OFFSET = 0.15  # distance of the costs of a rung from the middle of its row, in rows
LABEL_CHARACTERS, NARROW_CHARACTERS = 24, 12  # per line of a label, in wide and narrow figures
WIDE_INCHES = 4.0
WHISKERS = "whiskers: "


def accuracy_limits(panels: Iterable[Panel]) -> tuple[float, float]:
    """Return the ends of an axis that holds all accuracies, intervals and seeds of the panels."""
    ends = [end for panel in panels for bar in panel.bars for end in _clipped_values(bar)]
    if not ends:
        return LEGAL_PERCENT
    low, high = min(ends), max(ends)
    margin = MARGIN * max(high - low, 0.5)
    return low - margin, high + margin


def relative_costs(panel: Panel) -> dict[str, float]:
    """Return the cost of each rung by its label, relative to the first rung; {} if unknown."""
    costs = {bar.label: bar.cost for bar in panel.bars if bar.cost > 0}
    first = costs.get(panel.bars[0].label, NAN) if panel.bars else NAN
    return {} if math.isnan(first) else {label: cost / first for label, cost in costs.items()}


def plot_accuracies(
    axes: Axes, panel: Panel, rungs: Sequence[str], limits: tuple[float, float], *, is_ours: bool
) -> None:
    """Plot a row per rung of the panel, and its accuracy as a number on the right."""
    whiskers = panel.whiskers.removeprefix(WHISKERS)
    for bar in panel.bars:
        row = rungs.index(bar.label)
        if math.isnan(bar.acc1):
            _write_value(axes, row, bar.missing or "no run")
        else:
            plot_interval(axes, row, clip_interval(bar.low, bar.high, LEGAL_PERCENT), whiskers)
            _plot_mean(axes, bar.acc1, row, panel, is_ours=is_ours)
            _write_value(axes, row, f"{bar.acc1:.1f}")
        if len(bar.seeds) > 1:
            plot_seeds(axes, row, bar.seeds, "one seed")
    axes.set_xlim(*limits)
    axes.xaxis.set_major_locator(number_ticks(5))
    axes.set_xlabel("test accuracy, %")
    _set_title(axes, panel.title)


def plot_reference(axes: Axes, reference: tuple[str, float]) -> None:
    """Plot a line at the accuracy of the system that the paper compares with."""
    name, level = reference
    dashes = (0, (4, 2))
    label = f"{name}: {level:.1f} %"
    width = style.points(0.8)
    axes.axvline(level, color=style.INK_COLOUR, linewidth=width, ls=dashes, zorder=1, label=label)


def plot_costs(axes: Axes, panels: Sequence[Panel], rungs: Sequence[str], ours: Panel) -> None:
    """Plot the costs of our rungs and of the paper's, each relative to its first rung."""
    for panel in panels:
        for label, ratio in relative_costs(panel).items():
            offset = -COST_OFFSET if panel is ours else COST_OFFSET
            row = rungs.index(label) + offset * (len(panels) > 1)
            _plot_mean(axes, ratio, row, panel, is_ours=panel is ours)
    highest = max(max(relative_costs(panel).values()) for panel in panels)
    axes.set_xlim(0, highest * 1.1)
    axes.xaxis.set_major_locator(number_ticks(4))
    axes.set_xlabel(f"{style.safe_text(rungs[0], LABEL_CHARACTERS)} = 1")
    _set_title(axes, "Cost per run")


def label_rungs(axes: Axes, rungs: Sequence[str]) -> None:
    """Write the names of the rungs, the first at the top."""
    characters = NARROW_CHARACTERS if _is_narrow(axes) else LABEL_CHARACTERS
    names = [style.safe_text(name, 2 * NARROW_CHARACTERS) for name in rungs]
    label_rows(axes, names, characters)


def add_legend(figure: Figure) -> None:
    """Write the legend of all panels below the figure, each label once."""
    pairs = [axes.get_legend_handles_labels() for axes in figure.axes]
    handles = [handle for some, _ in pairs for handle in some]
    labels = [str(label) for _, some in pairs for label in some]
    style.add_legend(figure, handles, labels)


def _plot_mean(axes: Axes, x: float, row: float, panel: Panel, *, is_ours: bool) -> None:
    """Plot the point of a rung: a filled circle of ours, an open diamond of the paper."""
    face = style.EMA_COLOUR if is_ours else "white"
    axes.plot(
        [x], [row], "o" if is_ours else "D", markersize=style.points(4.5 if is_ours else 4),
        markerfacecolor=face, label=_source_label(axes, panel, is_ours), **style.open_marker(),
    )  # fmt: skip


def _source_label(axes: Axes, panel: Panel, is_ours: bool) -> str:
    """Return the legend of a source, with the cost that the costs are relative to."""
    source = "ours, mean" if is_ours else "paper"
    if _is_narrow(axes):
        source = style.safe_text(panel.title, 60)
    if not relative_costs(panel):
        return source
    unit = panel.cost_unit.removesuffix(" per run")
    return f"{source} (cost 1 = {panel.bars[0].cost:.3g} {unit})"


def _write_value(axes: Axes, row: int, text: str) -> None:
    """Write a text on the right of a row, outside the panel, where no point is."""
    axes.annotate(
        text, (1, row), (style.points(3), 0), xycoords=axes.get_yaxis_transform(),
        textcoords="offset points", ha="left", va="center", fontsize="small",
    )  # fmt: skip


def _set_title(axes: Axes, title: str) -> None:
    """Write the title; a narrow figure has its part before the colon, the legend all of it."""
    axes.set_title(style.safe_text(title.partition(":")[0] if _is_narrow(axes) else title, 60))


def _is_narrow(axes: Axes) -> bool:
    return style.paper_width(style.root_figure(axes)) < WIDE_INCHES


def _clipped_values(bar: Bar) -> list[float]:
    values = (bar.acc1, *clip_interval(bar.low, bar.high, LEGAL_PERCENT), *bar.seeds)
    return [value for value in values if not math.isnan(value)]
