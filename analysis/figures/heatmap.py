"""Two knobs together: the mean accuracy of every pair of levels, with the selected pair framed."""

import math
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.replicates import replicates
from clip_hparam.analysis.evidence.selection import best_cell
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.registry import sweep_figure
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import format_done, format_knob, metric_title


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


def knob_heatmap(frames: Frames, ablation: Ablation) -> KnobHeatmap:
    """Return the mean accuracy of every pair of levels of the ablation's two knobs.

    Raises:
        NotSweptError: the sweep has no record yet.
        ValueError: the ablation does not have two knobs.
    """
    x_knob, y_knob = ablation.knobs
    cells = replicates(frames, ablation)
    selected = best_cell(cells)
    selected_row = next((row for row, cell in enumerate(cells) if cell is selected), None)
    data = cell_evidence(frames, ablation).dropna(subset=[x_knob, y_knob])
    xs, ys = sorted(data[x_knob].unique()), sorted(data[y_knob].unique())
    mean, best = np.full((len(ys), len(xs)), math.nan), None
    text = [["" for _ in xs] for _ in ys]
    for number, row in data.iterrows():
        y, x = ys.index(row[y_knob]), xs.index(row[x_knob])
        mean[y, x] = row[ablation.metric]
        incomplete = row["n"] < row["asked"]
        text[y][x] = format_done(row["n"], row["asked"]) if incomplete else f"{mean[y, x]:.1f}"
        best = (y, x) if number == selected_row else best
    return KnobHeatmap(
        ablation.title, x_knob, y_knob, metric_title(ablation.metric),
        [format_knob(x) for x in xs], [format_knob(y) for y in ys], mean, text,
        best,
    )  # fmt: skip


def plot_heatmap(data: KnobHeatmap) -> Figure:
    """Plot a grid of cells, darker where the accuracy is higher, with the selected cell framed."""
    figure = style.create_figure(style.COLUMN_INCHES, 1.0 + 0.34 * len(data.y_levels))
    with style.house_style():
        axes = figure.subplots()
        image = axes.imshow(data.mean, cmap="Blues", aspect="auto")
        _write_values(axes, data, float(np.nanmean(image.get_clim())) if data.best else 0.0)
        if data.best:
            corner = (data.best[1] - 0.5, data.best[0] - 0.5)
            frame = mpl.patches.Rectangle(corner, 1, 1, fill=False, linewidth=2, clip_on=False)
            axes.add_patch(frame)
        axes.set_xticks(range(len(data.x_levels)), map(style.safe_text, data.x_levels))
        axes.set_yticks(range(len(data.y_levels)), map(style.safe_text, data.y_levels))
        axes.set(xlabel=style.safe_text(data.x_knob), ylabel=style.safe_text(data.y_knob))
        axes.set_title(style.safe_text(data.title, 60))
        figure.colorbar(image, label=style.safe_text(data.metric))
    return figure


def _write_values(axes: Axes, data: KnobHeatmap, threshold: float) -> None:
    """Write each cell's text, white on cells whose mean exceeds the threshold."""
    for (row, column), mean in np.ndenumerate(data.mean):
        colour = "white" if mean > threshold else style.INK_COLOUR
        axes.text(column, row, data.text[row][column], ha="center", va="center", color=colour)


@sweep_figure("map")
def heatmap_figure(frames: Frames, ablation: Ablation) -> Figure:
    return plot_heatmap(knob_heatmap(frames, ablation))
