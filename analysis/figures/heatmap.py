"""Two knobs at once: mean accuracy of every pair of levels, and where the best one lies."""

import math
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence, replicates
from clip_hparam.analysis.evidence.selection import best_cell
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import format_done, format_knob, metric_title


class KnobHeatmap(NamedTuple):
    """`mean` and `text` have a row a level of `y_knob`, a column a level of `x_knob`."""

    title: str
    x_knob: str
    y_knob: str
    metric: str
    x_levels: list[str]
    y_levels: list[str]
    mean: NDArray[np.float64]  # NaN where a run is missing
    text: list[list[str]]  # "97.1" or "2 of 3"
    best: tuple[int, int] | None  # row, column of the pair that the selection set prefers


def knob_heatmap(frames: Frames, ablation: Ablation) -> KnobHeatmap:
    """Raises NotSweptError, and ValueError unless the ablation has two knobs."""
    x_knob, y_knob = ablation.knobs
    cells = replicates(frames, ablation)
    best = best_cell(cells)
    best_row = next((row for row, cell in enumerate(cells) if cell is best), None)
    data = cell_evidence(frames, ablation).dropna(subset=[x_knob, y_knob])
    xs, ys = sorted(data[x_knob].unique()), sorted(data[y_knob].unique())
    mean, best_position = np.full((len(ys), len(xs)), math.nan), None
    text = [["" for _ in xs] for _ in ys]
    for number, row in data.iterrows():
        at = ys.index(row[y_knob]), xs.index(row[x_knob])
        mean[at] = row[ablation.metric]
        done = format_done(row["n"], row["asked"])
        text[at[0]][at[1]] = done if row["n"] < row["asked"] else f"{mean[at]:.1f}"
        best_position = at if number == best_row else best_position
    return KnobHeatmap(
        ablation.title, x_knob, y_knob, metric_title(ablation.metric),
        [format_knob(x) for x in xs], [format_knob(y) for y in ys], mean, text,
        best_position,
    )  # fmt: skip


def plot_heatmap(data: KnobHeatmap) -> Figure:
    """A cell a pair, darker is better; framed is the one that the selection set prefers."""
    rows, columns = data.mean.shape
    drawn = style.create_figure(style.COLUMN_INCHES, 1.0 + 0.34 * rows)
    with style.house_style():
        axes = drawn.subplots()
        image = axes.imshow(data.mean, cmap="Blues", aspect="auto")
        middle = np.nanmean(image.get_clim()) if data.best else 0.0
        for row in range(rows):
            for column in range(columns):
                dark = data.mean[row, column] > middle
                colour = "white" if dark else style.INK_COLOUR
                axes.text(
                    column, row, data.text[row][column], ha="center", va="center", color=colour
                )
        if data.best:
            corner = (data.best[1] - 0.5, data.best[0] - 0.5)
            frame = mpl.patches.Rectangle(corner, 1, 1, fill=False, linewidth=2, clip_on=False)
            axes.add_patch(frame)
        axes.set_xticks(range(columns), map(style.safe_text, data.x_levels))
        axes.set_yticks(range(rows), map(style.safe_text, data.y_levels))
        axes.set(xlabel=data.x_knob, ylabel=data.y_knob, title=data.title)
        drawn.colorbar(image, label=data.metric)
    return drawn
