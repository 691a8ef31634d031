"""Two knobs together: the mean accuracy of every pair of levels, with the selected pair framed."""

import math
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.replicates import Replicates, replicates
from clip_hparam.analysis.evidence.selection import best_cell
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts.fitting import fit_texts
from clip_hparam.analysis.figures.registry import kind_figure, sweep_figure
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.imported import IMPORTED_PREFIX
from clip_hparam.analysis.frames.labels import format_done, format_knob
from clip_hparam.analysis.stats.intervals import estimate, paired_differences

ROW_INCHES = 0.3
MAX_COLUMN_LEVELS = 8  # levels of the x knob in a figure of one column; more take a page's width
BEST_LABEL, CLOSE_LABEL = "best selection accuracy", "not distinguished from it"


class KnobHeatmap(NamedTuple):
    """`mean` and `text` have one row per level of `y_knob`, one column per level of `x_knob`."""

    title: str
    x_knob: str
    y_knob: str
    metric: str
    x_levels: list[str]
    y_levels: list[str]
    mean: NDArray[np.float64]  # NaN where a run is missing
    text: list[list[str]]  # "97.1" or "2 of 3"
    best: tuple[int, int] | None  # row, column of the pair with the best selection accuracy
    close: list[list[bool]]  # pairs whose difference to `best` has an interval with zero


def knob_heatmap(frames: Frames, ablation: Ablation) -> KnobHeatmap:
    """Return the mean accuracy of every pair of levels of the ablation's two knobs.

    Raises:
        NotSweptError: the sweep has no record yet.
        ValueError: the ablation does not have two knobs.
    """
    if len(ablation.knobs) != 2:
        raise ValueError(f"{ablation.name} is not a grid of two knobs: it has no heat map")
    x_knob, y_knob = ablation.knobs
    cells = replicates(frames, ablation)
    selected = best_cell(cells)
    selected_row = next((row for row, cell in enumerate(cells) if cell is selected), None)
    data = cell_evidence(frames, ablation).dropna(subset=[x_knob, y_knob])
    xs, ys = sorted(data[x_knob].unique()), sorted(data[y_knob].unique())
    mean, best = np.full((len(ys), len(xs)), math.nan), None
    text, close = [["" for _ in xs] for _ in ys], [[False for _ in xs] for _ in ys]
    digits = ablation.digits if ablation.imported else 1
    for number, row in data.iterrows():
        y, x = ys.index(row[y_knob]), xs.index(row[x_knob])
        mean[y, x] = row[ablation.metric]
        incomplete = row["n"] < row["asked"]
        text[y][x] = (
            format_done(row["n"], row["asked"]) if incomplete else f"{mean[y, x]:.{digits}f}"
        )
        best = (y, x) if number == selected_row else best
        close[y][x] = _is_close(cells[int(str(number))], selected)
    return KnobHeatmap(
        ablation.title, _knob_title(x_knob), _knob_title(y_knob), ablation.metric_title,
        [format_knob(x) for x in xs], [format_knob(y) for y in ys], mean, text,
        best, close,
    )  # fmt: skip


def _knob_title(knob: str) -> str:
    return knob.removeprefix(IMPORTED_PREFIX)


def _is_close(cell: Replicates, selected: Replicates | None) -> bool:
    """Return whether the cell is not distinguished from the selected one over the seeds."""
    if selected is None or cell is selected or not cell.complete:
        return False
    difference = estimate(paired_differences(cell.values, selected.values))
    return difference.n > 1 and not difference.excludes_zero


def plot_heatmap(data: KnobHeatmap) -> Figure:
    """Plot a grid of cells, darker where the accuracy is higher, with the selected cell framed.

    A cell that is not distinguished from the selected one has a dashed frame.
    """
    wide = len(data.x_levels) > MAX_COLUMN_LEVELS
    figure = style.create_figure(style.PAGE_INCHES if wide else style.COLUMN_INCHES, 2.4)
    with style.house_style():
        axes = figure.subplots()
        image = axes.imshow(data.mean, cmap=_shades(), aspect="auto")
        axes.set_xticks(range(len(data.x_levels)), map(style.safe_text, data.x_levels))
        axes.set_yticks(range(len(data.y_levels)), map(style.safe_text, data.y_levels))
        axes.set(xlabel=style.safe_text(data.x_knob), ylabel=style.safe_text(data.y_knob))
        if data.best:  # first, since the legend of the other frames refers to it
            _frame(axes, data.best[1], data.best[0], style.points(1.8), BEST_LABEL)
        for (y, x), close in np.ndenumerate(np.asarray(data.close, dtype=bool)):
            if close:
                _frame(axes, x, y, style.points(0.8), CLOSE_LABEL, (0, (2, 1.5)), inset=0.07)
        style.set_title(figure, data.title)
        figure.colorbar(image, label=style.safe_text(data.metric))
        if data.best:
            style.add_legend(figure, *axes.get_legend_handles_labels())
        fit_texts(figure, ROW_INCHES * max(len(data.y_levels), 3))
        _write_values(axes, data, float(np.nanmean(image.get_clim())) if data.best else 0.0)
    return figure


def _shades() -> ListedColormap:
    """Return the colormap Blues without its dark end, so that frames are visible on it."""
    return ListedColormap(mpl.colormaps["Blues"](np.linspace(0, 0.85, 256)))


def _frame(
    axes: Axes, x: int, y: int, width: float, label: str, dashes: Any = "-", inset: float = 0.0
) -> None:
    """Draw a frame around a cell, or inside it, in black with a white edge."""
    side = 1 - 2 * inset
    frame = Rectangle((x - side / 2, y - side / 2), side, side, fill=False, clip_on=False)
    frame.set(linewidth=width, linestyle=dashes, label=label, zorder=4 if inset else 5)
    axes.add_patch(frame)


def _write_values(axes: Axes, data: KnobHeatmap, threshold: float) -> None:
    """Write each cell's text, white on cells whose mean exceeds the threshold.

    Texts are smaller, or upright, where the cells are narrow; in cells of less they are left out.
    """
    columns, rows = len(data.x_levels), len(data.y_levels)
    figure = style.root_figure(axes)
    points_wide = axes.bbox.width / columns * 72 / figure.dpi
    points_high = axes.bbox.height / rows * 72 / figure.dpi
    longest = max(len(text) for row in data.text for text in row)
    size = min(points_wide * 0.85 / (0.62 * max(longest, 1)), points_high * 0.7, style.points(8))
    if size < style.points(4.5):
        return
    for (row, column), mean in np.ndenumerate(data.mean):
        colour = "white" if mean > threshold else style.INK_COLOUR
        axes.text(
            column, row, data.text[row][column],
            ha="center", va="center", color=colour, fontsize=size,
        )  # fmt: skip


@kind_figure("heatmap", "Two knobs together")
@sweep_figure("map")
def heatmap_figure(frames: Frames, ablation: Ablation) -> Figure:
    """Plot the mean accuracy of each pair of levels of two knobs."""
    return plot_heatmap(knob_heatmap(frames, ablation))
