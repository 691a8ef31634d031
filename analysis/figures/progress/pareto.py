"""Accuracy against cost, a point per cell; the front is chosen by the selection accuracy."""

import math
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.images.image_level import by_images
from clip_hparam.analysis.evidence.replicates import replicates
from clip_hparam.analysis.evidence.selection import selection_accuracy
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts.fitting import fit_texts
from clip_hparam.analysis.figures.parts.seed_dots import clip_interval, legal_range
from clip_hparam.analysis.figures.registry import kind_figure
from clip_hparam.analysis.figures.search_payoff import set_cost_scale
from clip_hparam.analysis.frames.frame import Frames

MARKERS = "osD^vPX*"  # cells on the front, each with its name in the legend


class CostPoint(NamedTuple):
    """A finished cell; low and high are the ends of the interval of its mean."""

    label: str
    cost: float
    mean: float
    low: float
    high: float
    selection: float  # mean accuracy on the selection set, NaN if unknown
    on_front: bool = False


class CellFront(NamedTuple):
    title: str
    metric: str
    unit: str
    points: list[CostPoint]  # in the design's order
    intervals: str


def cell_front(frames: Frames, ablation: Ablation) -> CellFront:
    """Return the cost and the metric of each finished cell, and which cells are on the front.

    A cell is on the front if no cheaper or equally cheap cell has its selection accuracy: the test
    set selects nothing.

    Raises:
        NotSweptError: the sweep has no record yet.
        ValueError: no finished cell has a cost.
    """
    data = by_images(cell_evidence(frames, ablation))
    cells = replicates(frames, ablation)
    on_gpu = bool((data["gpu_hours"] > 0).any())
    unit, column = ("GPU-hours", "gpu_hours") if on_gpu else ("seconds", "seconds")
    points = [
        CostPoint(
            str(row[ablation.row]), float(row[column]), float(row[ablation.metric]),
            *clip_interval(row["ci_low"], row["ci_high"], legal_range(ablation.metric_title)),
            selection_accuracy(cells[int(at)].trials),
        )
        for at, (_, row) in zip(data.index, data.iterrows(), strict=True)
        if not math.isnan(row[column]) and not math.isnan(row[ablation.metric])
    ]  # fmt: skip
    if not points:
        raise ValueError(f"no finished cell of {ablation.name} has a cost: there is no front")
    marked = [point._replace(on_front=_is_on_front(point, points)) for point in points]
    label = style.interval_label(data)
    return CellFront(ablation.title, ablation.metric_title, unit, marked, label)


def _is_on_front(point: CostPoint, points: list[CostPoint]) -> bool:
    """Return whether no other point is as cheap and as good, and better in one of both."""
    return not math.isnan(point.selection) and not any(
        other.cost <= point.cost
        and other.selection >= point.selection
        and (other.cost < point.cost or other.selection > point.selection)
        for other in points
    )


def plot_cell_front(data: CellFront) -> Figure:
    """Plot a point per cell with its interval; cells on the front are filled and named."""
    figure = style.create_figure(style.COLUMN_INCHES, 2.4)
    with style.house_style():
        axes = figure.subplots()
        front = sorted((point for point in data.points if point.on_front), key=lambda p: p.cost)
        for point in data.points:
            _plot_point(axes, point, data.intervals)
        for number, point in enumerate(front):
            named = number < len(MARKERS)
            axes.plot(
                [point.cost], [point.mean], MARKERS[number] if named else "o",
                markerfacecolor=style.EMA_COLOUR, markersize=style.points(5.5),
                label=style.safe_text(point.label) if named else "further cells on the front",
                **style.open_marker(),
            )  # fmt: skip
        axes.set(xlabel=f"{data.unit} per run", ylabel=style.safe_text(data.metric))
        axes.margins(0.08)
        set_cost_scale(axes, [point.cost for point in data.points])
        style.clip_to_percent(axes.get_ylim, axes.set_ylim, data.metric)
        style.set_title(figure, f"{data.title}: accuracy against cost")
        style.add_legend(figure, *axes.get_legend_handles_labels())
    return fit_texts(figure)


def _plot_point(axes: Axes, point: CostPoint, intervals: str) -> None:
    if not math.isnan(point.low):
        axes.errorbar(
            [point.cost], [point.mean],
            yerr=[[point.mean - point.low], [point.high - point.mean]], fmt="none",
            ecolor=style.SEED_COLOUR, elinewidth=style.points(0.8), label=intervals,
        )  # fmt: skip
    if not point.on_front:
        axes.plot([point.cost], [point.mean], "o", label="other cells", **_open())


def _open() -> dict[str, Any]:
    return {
        "markersize": style.points(3.5),
        "markerfacecolor": "white",
        "markeredgecolor": style.INK_COLOUR,
        "markeredgewidth": style.points(0.7),
    }


@kind_figure("pareto", "Accuracy against cost")
def pareto_figure(frames: Frames, ablation: Ablation) -> Figure:
    """Plot the accuracy of the cells against their cost."""
    return plot_cell_front(cell_front(frames, ablation))
