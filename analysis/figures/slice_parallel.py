"""The trials of a search by their knobs: one panel per knob, and parallel coordinates."""

import math
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.replicates import sweep_of
from clip_hparam.analysis.evidence.searches.importance import axis_positions
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.registry import search_figure, sweep_figure
from clip_hparam.analysis.frames.frame import Frames, trial_table
from clip_hparam.analysis.frames.labels import format_knob
from clip_hparam.analysis.frames.trial_table import TrialTable, is_numeric

MISSING_LABEL, MAX_TICKS = "(missing)", 6
PAGE_WIDTH_CHARACTERS = 96  # characters that fit on one line under a figure of a page's width


class KnobAxis(NamedTuple):
    """The position of each trial on the axis of one knob, and the labels of the axis."""

    knob: str
    positions: list[float]
    ticks: dict[float, str]  # position -> label


class ParallelCoordinates(NamedTuple):
    """The trials that have the objective: their values of it and positions on each knob's axis.

    objective: title of the objective.
    """

    objective: str
    minimize: bool
    values: list[float]
    axes: list[KnobAxis]
    best: int  # index of the best trial


def parallel_coordinates(table: TrialTable) -> ParallelCoordinates:
    """Return the positions of all scored trials on the axes of all knobs.

    Raises:
        ValueError: no row has the objective, or the table has no knob.
    """
    if table.best is None:
        raise ValueError(f"no row has {table.objective}: nothing to plot")
    if not table.knobs:
        raise ValueError("no knob varies among the trials: nothing to plot")
    values = table.scored[table.objective].astype(float).to_list()
    axes = [_knob_axis(table, knob) for knob in table.knobs]
    best = int(table.gains.to_numpy().argmax())
    return ParallelCoordinates(table.objective_title, table.minimize, values, axes, best)


def thin_ticks(ticks: dict[float, str], share: float) -> dict[float, str]:
    """Return the ticks without those whose labels would overlap; the first and last stay.

    Neighbours are at least `share` of the axis apart.
    """
    positions = sorted(ticks)
    first, last = positions[0], positions[-1]
    min_gap = share * (last - first)
    thinned = [first]
    for position in positions[1:-1]:
        if position - thinned[-1] >= min_gap and last - position >= min_gap:
            thinned.append(position)
    return {position: ticks[position] for position in dict.fromkeys([*thinned, last])}


def plot_slices(data: ParallelCoordinates) -> Figure:
    """Plot one panel per knob with a point per trial; the other knobs vary among the points."""
    columns = min(3, len(data.axes))
    rows = math.ceil(len(data.axes) / columns)
    figure = style.create_figure(style.PAGE_INCHES, 0.3 + 1.75 * rows)
    with style.house_style():
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for panel, knob_axis in zip(grid, data.axes, strict=False):
            _plot_slice(panel, knob_axis, data)
        for panel in grid[len(data.axes) :]:
            panel.set_axis_off()
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2, frameon=False)
        figure.supylabel(style.safe_text(data.objective), fontsize=8)
    return figure


def plot_parallel_coordinates(data: ParallelCoordinates) -> Figure:
    """Plot a line per trial through its knobs, darker for better trials, the best trial on top."""
    figure = style.create_figure(style.PAGE_INCHES, 2.8)
    with style.house_style():
        panel = figure.subplots()
        heights = np.column_stack([_to_unit_range(knob.positions) for knob in data.axes])
        order = np.argsort(np.array(data.values) * (-1 if data.minimize else 1))
        lines = [np.column_stack([np.arange(len(data.axes)), heights[trial]]) for trial in order]
        shades = LineCollection(lines, cmap=_blue_colormap(data.minimize), alpha=0.8)
        shades.set(array=np.array(data.values)[order], linewidth=0.8)
        shades.set_rasterized(style.should_rasterize(len(lines)))
        panel.add_collection(shades)
        panel.plot(heights[data.best], "-", color=style.COST_COLOUR, linewidth=1.8, label="best")
        for x, knob_axis in enumerate(data.axes):
            _plot_knob_axis(panel, x, knob_axis)
        panel.set(xlim=(-0.3, len(data.axes) - 0.5), ylim=(-0.05, 1.05), yticks=[])
        panel.set_xticks(range(len(data.axes)), _staggered([knob.knob for knob in data.axes]))
        panel.spines[:].set_visible(False)
        figure.colorbar(shades, label=style.safe_text(data.objective))
        figure.legend(loc="outside upper right", frameon=False)
    return figure


def _plot_slice(panel: Axes, knob_axis: KnobAxis, data: ParallelCoordinates) -> None:
    panel.plot(
        knob_axis.positions, data.values, "o", color=style.EMA_COLOUR, markersize=3, alpha=0.5,
        rasterized=style.should_rasterize(len(data.values)), label="trial",
    )  # fmt: skip
    best = data.best
    style.mark_best(panel, [knob_axis.positions[best]], [data.values[best]])
    longest = max(map(len, knob_axis.ticks.values()))
    angle = 30 if longest > 7 else 0
    ticks = knob_axis.ticks if angle else thin_ticks(knob_axis.ticks, 0.04 + 0.03 * longest)
    panel.set_xticks(
        list(ticks), ticks.values(), rotation=angle,
        ha="right" if angle else "center", rotation_mode="anchor",
    )  # fmt: skip
    panel.set_xlabel(style.safe_text(knob_axis.knob))
    panel.margins(0.1, 0.12)


def _blue_colormap(minimize: bool) -> ListedColormap:
    """Return the colormap Blues without its pale end, so that the worst trial is visible."""
    blues = mpl.colormaps["Blues"](np.linspace(0.25, 1, 256))
    return ListedColormap(blues[::-1] if minimize else blues)


def _staggered(names: list[str]) -> list[str]:
    """Return the names as tick labels, every other one on a second line where they are long."""
    width = PAGE_WIDTH_CHARACTERS // len(names)
    if max(map(len, names)) <= width:
        return [style.safe_text(name) for name in names]
    texts = [style.safe_text(name, max(8, 2 * width)) for name in names]
    return ["\n" * (x % 2) + text for x, text in enumerate(texts)]


def _plot_knob_axis(panel: Axes, x: int, knob_axis: KnobAxis) -> None:
    panel.axvline(x, color=style.INK_COLOUR, linewidth=0.7)
    ticks = thin_ticks(knob_axis.ticks, 0.05)
    heights = _to_unit_range([*knob_axis.positions, *ticks])[len(knob_axis.positions) :]
    halo = [withStroke(linewidth=2, foreground="white")]
    for height, text in zip(heights, ticks.values(), strict=True):
        panel.text(x + 0.03, height, text, fontsize=6.5, va="center", path_effects=halo)


def _knob_axis(table: TrialTable, knob: str) -> KnobAxis:
    """Return the axis of a knob, with ticks at its levels or at a few of many levels."""
    values = table.scored[knob]
    raw = axis_positions(values, decades=1)
    if not is_numeric(values):
        levels = sorted(raw.unique())
        ticks = {float(i): style.safe_text(str(level), 16) for i, level in enumerate(levels)}
        return KnobAxis(knob, [float(levels.index(level)) for level in raw], ticks)
    positions = [float(position) for position in raw]
    ticks = {
        position: MISSING_LABEL if pd.isna(value) else format_knob(value)
        for position, value in zip(positions, values, strict=True)
    }
    if len(ticks) > MAX_TICKS:
        targets = np.linspace(min(ticks), max(ticks), MAX_TICKS)
        levels = sorted(ticks)
        nearest = {min(levels, key=lambda level: abs(level - target)) for target in targets}
        ticks = {level: round_tick(ticks[level]) for level in levels if level in nearest}
    return KnobAxis(knob, positions, dict(sorted(ticks.items())))


def round_tick(text: str) -> str:
    """Return the tick's number with two significant digits: ticks of many levels are a guide."""
    return text if text == MISSING_LABEL else f"{float(text):.2g}"


def _to_unit_range(positions: list[float]) -> np.ndarray:
    """Return the positions scaled to 0..1; 0.5 where all are equal."""
    values = np.asarray(positions, dtype=float)
    span = np.ptp(values)
    return (values - values.min()) / span if span else np.full(len(values), 0.5)


@sweep_figure("sample")
def sweep_slices_figure(frames: Frames, ablation: Ablation) -> Figure:
    table = trial_table(frames, sweep_of(frames, ablation))
    return plot_slices(parallel_coordinates(table))


@search_figure("axes", "Each knob alone", lambda table: len(table.knobs) > 0)
def slices_figure(table: TrialTable) -> Figure:
    return plot_slices(parallel_coordinates(table))


@search_figure("parallel", "All knobs at once", lambda table: len(table.knobs) > 1)
def parallel_coordinates_figure(table: TrialTable) -> Figure:
    return plot_parallel_coordinates(parallel_coordinates(table))
