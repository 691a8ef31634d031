"""Differences in accuracy with their intervals, one row per cell or per factorial effect."""

import math
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.images.image_level import by_images
from clip_hparam.analysis.evidence.replicates import replicates, sweep_of
from clip_hparam.analysis.evidence.sweep_effects import sweep_effects
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts.fitting import (
    LABEL_LIMIT,
    fit_texts,
    label_rows,
    rows_height,
)
from clip_hparam.analysis.figures.parts.seed_dots import plot_interval, plot_seeds
from clip_hparam.analysis.figures.parts.sweep_design import MAX_ROWS
from clip_hparam.analysis.figures.parts.ticks import number_ticks
from clip_hparam.analysis.figures.registry import kind_figure, sweep_figure
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.stats.intervals import paired_differences


class ForestRow(NamedTuple):
    """A difference in points with its 95 % interval; NaN where unknown, for the reason `why`."""

    label: str
    mean: float
    low: float
    high: float
    why: str
    seeds: tuple[float, ...] = ()  # the difference, or the effect, in each seed


class ForestPlot(NamedTuple):
    title: str
    axis: str
    effects: list[ForestRow]
    intervals: str  # what they are over: "95 %, 3 seeds"
    left_out: int = 0  # differences without a row, of more than `MAX_ROWS`


def cell_forest(frames: Frames, ablation: Ablation) -> ForestPlot:
    """Return the difference of every cell to the first cell, paired by seed.

    Raises:
        NotSweptError: the sweep has no record yet.
    """
    data = by_images(cell_evidence(frames, ablation))
    compared = "baseline_delta" if ablation.against == "previous" else "delta"  # to the first cell
    first = data[ablation.row].iloc[0]
    cells = replicates(frames, ablation)
    start = cells[int(data.index[0])].values
    effects = [
        ForestRow(
            str(row[ablation.row]), row[compared],
            row[f"{compared}_low"], row[f"{compared}_high"], row[f"{compared}_why"],
            _known(paired_differences(cells[at].values, start)),
        )
        for at, (_, row) in zip(data.index[1:], data.iloc[1:].iterrows(), strict=True)
    ]  # fmt: skip
    metric, left_out = ablation.metric_title.removesuffix(", %"), len(effects[MAX_ROWS:])
    axis = f"{metric} minus that of {first}{_unit(ablation)}"
    label = style.interval_label(data)
    return ForestPlot(ablation.title, axis, effects[:MAX_ROWS], label, left_out)


def _known(differences: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in differences[~np.isnan(differences)])


def _unit(ablation: Ablation) -> str:
    return ", points" if ablation.metric_title.endswith("%") else ""


def factorial_forest(frames: Frames, ablation: Ablation) -> ForestPlot:
    """Return the main effects and interactions of a factorial sweep.

    Raises:
        NotSweptError: the sweep has no record yet.
        ValueError: the cells are no factorial design.
    """
    effects = sweep_effects(frames, ablation)
    left_out = len(effects[MAX_ROWS:])
    rows = [
        ForestRow(effect.label, *effect.estimate[:3], effect.estimate.why, effect.values)
        for effect in effects[:MAX_ROWS]
    ]
    label = style.interval_label(cell_evidence(frames, ablation))
    metric = ablation.metric_title.removesuffix(", %")
    title, axis = f"{ablation.title}: effects", f"effect on {metric}, points"
    return ForestPlot(title, axis, rows, label, left_out)


def plot_forest(data: ForestPlot) -> Figure:
    """Plot a dot per row: filled where the interval excludes zero, open elsewhere."""
    figure = style.create_figure(style.COLUMN_INCHES, 2.0)
    with style.house_style():
        axes = figure.subplots()
        axes.axvline(0, color=style.INK_COLOUR, linewidth=style.points(0.7), zorder=1)
        for row, effect in enumerate(data.effects):
            _plot_effect(axes, row, effect, data.intervals)
        label_rows(axes, [style.safe_text(effect.label, LABEL_LIMIT) for effect in data.effects])
        axes.set_xlabel(style.safe_text(data.axis, 80))
        axes.xaxis.set_major_locator(number_ticks(5))
        style.set_title(figure, style.with_left_out(data.title, data.left_out))
        style.add_legend(figure, *axes.get_legend_handles_labels())
    return fit_texts(figure, rows_height(axes))


def _plot_effect(axes: Axes, row: int, effect: ForestRow, intervals: str) -> None:
    if math.isnan(effect.mean):
        axes.annotate(
            f" {effect.why}", (0, row), xycoords=axes.get_yaxis_transform(), va="center",
            fontsize="small",
        )  # fmt: skip
        return
    plot_interval(axes, row, (effect.low, effect.high), intervals)
    excludes_zero = effect.low > 0 or effect.high < 0
    axes.plot(
        [effect.mean], [row], "o",
        markerfacecolor=style.EMA_COLOUR if excludes_zero else "white",
        label="interval excludes zero" if excludes_zero else "not distinguished from zero",
        **style.open_marker(),
    )  # fmt: skip
    if len(effect.seeds) > 1:
        plot_seeds(axes, row, effect.seeds, style.ONE_SEED)


@sweep_figure("effects")
def cell_forest_figure(frames: Frames, ablation: Ablation) -> Figure:
    """Plot the difference of each cell to the first cell."""
    return plot_forest(cell_forest(frames, ablation))


@sweep_figure("factorial")
def factorial_forest_figure(frames: Frames, ablation: Ablation) -> Figure:
    """Plot the main effects and interactions of a factorial sweep."""
    return plot_forest(factorial_forest(frames, ablation))


@kind_figure("forest", "Differences with their intervals")
def forest_figure(frames: Frames, ablation: Ablation) -> Figure:
    """Plot the effects of a factorial sweep, the differences to the first cell of any other.

    Raises:
        ValueError: the sweep has one cell.
    """
    if len(sweep_of(frames, ablation).cells) < 2:
        raise ValueError(f"{ablation.name} has one cell: there is no difference to plot")
    is_factorial = ablation.figure_kind == "factorial"
    return (factorial_forest_figure if is_factorial else cell_forest_figure)(frames, ablation)
