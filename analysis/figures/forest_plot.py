"""Differences in accuracy with their intervals, one row per cell or per factorial effect."""

import math
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.images.image_level import by_images
from clip_hparam.analysis.evidence.sweep_effects import sweep_effects
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.registry import sweep_figure
from clip_hparam.analysis.frames.frame import Frames


class ForestRow(NamedTuple):
    """A difference in points with its 95 % interval; NaN where unknown, for the reason `why`."""

    label: str
    mean: float
    low: float
    high: float
    why: str


class ForestPlot(NamedTuple):
    title: str
    axis: str
    effects: list[ForestRow]
    intervals: str  # what they are over: "95 %, 3 seeds"


def cell_forest(frames: Frames, ablation: Ablation) -> ForestPlot:
    """Return the difference of every cell to the first cell, paired by seed.

    Raises:
        NotSweptError: the sweep has no record yet.
    """
    data = by_images(cell_evidence(frames, ablation))
    compared = "baseline_delta" if ablation.against == "previous" else "delta"  # to the first cell
    first = data[ablation.row].iloc[0]
    effects = [
        ForestRow(
            str(row[ablation.row]), row[compared],
            row[f"{compared}_low"], row[f"{compared}_high"], row[f"{compared}_why"],
        )
        for _, row in data.iloc[1:].iterrows()
    ]  # fmt: skip
    axis = f"test accuracy minus that of {first}, points"
    return ForestPlot(ablation.title, axis, effects, style.interval_label(data))


def factorial_forest(frames: Frames, ablation: Ablation) -> ForestPlot:
    """Return the main effects and interactions of a factorial sweep.

    Raises:
        NotSweptError: the sweep has no record yet.
        ValueError: the cells are no factorial design.
    """
    effects = sweep_effects(frames, ablation)
    rows = [
        ForestRow(effect.label, *effect.estimate[:3], effect.estimate.why) for effect in effects
    ]
    label = style.interval_label(cell_evidence(frames, ablation))
    return ForestPlot(f"{ablation.title}: effects", "effect on test accuracy, points", rows, label)


def plot_forest(data: ForestPlot) -> Figure:
    """Plot a dot per row: filled where the interval excludes zero, open elsewhere."""
    figure = style.create_figure(style.COLUMN_INCHES, 0.8 + 0.26 * len(data.effects))
    with style.house_style():
        axes = figure.subplots()
        axes.axvline(0, color=style.INK_COLOUR, linewidth=0.7)
        for row, effect in enumerate(data.effects):
            if math.isnan(effect.mean):
                axes.text(0, row, f" {effect.why}", va="center", fontsize=6.5)
                continue
            axes.hlines(row, effect.low, effect.high, color=style.EMA_COLOUR, linewidth=1.6)
            excludes_zero = effect.low > 0 or effect.high < 0
            (dot,) = axes.plot([effect.mean], [row], "o", color=style.INK_COLOUR, markersize=4.5)
            dot.set_markerfacecolor(style.INK_COLOUR if excludes_zero else "white")
        labels = [style.safe_text(effect.label) for effect in data.effects]
        axes.set_yticks(range(len(labels)), labels)
        axes.set(ylim=(len(data.effects) - 0.4, -0.6))
        axes.set_xlabel(
            f"{style.safe_text(data.axis, 60)}\n{data.intervals}\nfilled: interval excludes zero"
        )
        axes.xaxis.set_major_locator(MaxNLocator(5))
        style.set_title(figure, data.title)
    return figure


@sweep_figure("effects")
def cell_forest_figure(frames: Frames, ablation: Ablation) -> Figure:
    return plot_forest(cell_forest(frames, ablation))


@sweep_figure("factorial")
def factorial_forest_figure(frames: Frames, ablation: Ablation) -> Figure:
    return plot_forest(factorial_forest(frames, ablation))
