"""The trials of a search by their knobs: one panel per knob, and parallel coordinates."""

import math

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.replicates import sweep_of
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts.fitting import fit_texts
from clip_hparam.analysis.figures.parts.knob_axes import (
    KnobAxis,
    ParallelCoordinates,
    parallel_coordinates,
    strongest_knobs,
)
from clip_hparam.analysis.figures.parts.ticks import balanced_columns
from clip_hparam.analysis.figures.parts.trial_dots import plot_trials
from clip_hparam.analysis.figures.registry import kind_figure, search_figure, sweep_figure
from clip_hparam.analysis.frames.frame import Frames, trial_table
from clip_hparam.analysis.frames.trial_table import TrialTable

MAX_SLICES, AXES_PER_INCH = 12, 1.7  # knobs shown; the strongest, where there are more
PANEL_INCHES, PARALLEL_INCHES = 1.2, 2.1
END_INCHES = 0.45  # beside the first and the last axis, for their values


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
    shown = strongest_knobs(data, MAX_SLICES)
    one = len(shown) == 1
    figure = style.create_figure(style.COLUMN_INCHES if one else style.PAGE_INCHES, 2.0)
    columns = balanced_columns(len(shown), max(2, round(style.paper_width(figure) / 2.2)))
    rows = math.ceil(len(shown) / columns)
    figure.set_figheight(figure.get_figheight() * rows)
    with style.house_style():
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for panel, knob_axis in zip(grid, shown, strict=False):
            _plot_slice(panel, knob_axis, data)
        for panel in grid[len(shown) :]:
            panel.set_axis_off()
        if left_out := len(data.axes) - len(shown):
            style.set_title(figure, style.with_left_out("The strongest knobs", left_out, "knobs"))
        figure.supylabel(style.safe_text(data.objective), fontsize="medium")
        style.add_legend(figure, *grid[0].get_legend_handles_labels())
    return fit_texts(figure, PANEL_INCHES)


def plot_parallel_coordinates(data: ParallelCoordinates) -> Figure:
    """Plot a line per trial through its knobs, darker for better trials, the best trial on top."""
    figure = style.create_figure(style.PAGE_INCHES, 2.8)
    shown = strongest_knobs(data, max(2, int(AXES_PER_INCH * style.paper_width(figure))))
    with style.house_style():
        panel = figure.subplots()
        heights = np.column_stack([_to_unit_range(knob.positions) for knob in shown])
        order = np.argsort(np.array(data.values) * (-1 if data.minimize else 1))
        lines = [np.column_stack([np.arange(len(shown)), heights[trial]]) for trial in order]
        shades = LineCollection(lines, cmap=_blue_colormap(data.minimize), alpha=0.8)
        shades.set(array=np.array(data.values)[order], linewidth=style.points(0.8))
        shades.set_rasterized(style.should_rasterize(len(lines)))
        panel.add_collection(shades)
        thick = style.points(1.8)
        panel.plot(heights[data.best], "--", color=style.INK_COLOUR, linewidth=thick, label="best")
        characters = int(15 * style.paper_width(figure) / (len(shown) + 1.5)) - 1
        for x, knob_axis in enumerate(shown):
            _plot_knob_axis(panel, x, knob_axis, max(characters, 4))
        pad = min(0.6, END_INCHES * (len(shown) - 1) / style.paper_width(figure))
        panel.set(xlim=(-pad, len(shown) - 1 + pad), ylim=(-0.05, 1.05), yticks=[])
        panel.set_xticks(range(len(shown)), [style.safe_text(knob.knob) for knob in shown])
        panel.tick_params(axis="x", length=0)
        panel.spines[:].set_visible(False)
        figure.colorbar(shades, label=style.safe_text(data.objective), pad=0.02)
        if left_out := len(data.axes) - len(shown):
            style.set_title(figure, style.with_left_out("The strongest knobs", left_out, "knobs"))
        style.add_legend(figure, *panel.get_legend_handles_labels())
    return fit_texts(figure, PARALLEL_INCHES)


def _plot_slice(panel: Axes, knob_axis: KnobAxis, data: ParallelCoordinates) -> None:
    plot_trials(panel, knob_axis.positions, data.values, style.EMA_COLOUR)
    best = data.best
    style.mark_best(panel, [knob_axis.positions[best]], [data.values[best]])
    panel.set_xticks(list(knob_axis.ticks), knob_axis.ticks.values())
    panel.set_xlabel(style.safe_text(knob_axis.knob))
    panel.margins(0.1, 0.12)


def _blue_colormap(minimize: bool) -> ListedColormap:
    """Return the colormap Blues without its pale end, so that the worst trial is visible."""
    blues = mpl.colormaps["Blues"](np.linspace(0.25, 1, 256))
    return ListedColormap(blues[::-1] if minimize else blues)


def _plot_knob_axis(panel: Axes, x: int, knob_axis: KnobAxis, characters: int) -> None:
    panel.axvline(x, color=style.INK_COLOUR, linewidth=style.points(0.7))
    ticks = thin_ticks(knob_axis.ticks, 0.08)
    heights = _to_unit_range([*knob_axis.positions, *ticks])[len(knob_axis.positions) :]
    if len(set(knob_axis.positions)) > 1:
        low, high = min(knob_axis.positions), max(knob_axis.positions)
        heights = (np.array(list(ticks)) - low) / (high - low)
    halo = [withStroke(linewidth=style.points(2), foreground="white")]
    side, offset = ("right", -style.points(3)) if x == 0 else ("left", style.points(3))
    for height, text in zip(heights, ticks.values(), strict=True):
        shown = style.safe_text(text.replace(r"\$", "$"), characters)
        panel.annotate(
            shown, (x, height), (offset, 0), textcoords="offset points", fontsize="small",
            ha=side, va="center", path_effects=halo, zorder=6,
        )  # fmt: skip


def _to_unit_range(positions: list[float]) -> np.ndarray:
    """Return the positions scaled to 0..1; 0.5 where all are equal."""
    values = np.asarray(positions, dtype=float)
    span = np.ptp(values)
    return (values - values.min()) / span if span else np.full(len(values), 0.5)


@sweep_figure("sample")
def sweep_slices_figure(frames: Frames, ablation: Ablation) -> Figure:
    """Plot the objective over each knob of a random or Sobol sample."""
    table = trial_table(frames, sweep_of(frames, ablation))
    return plot_slices(parallel_coordinates(table))


@kind_figure("slice", "Each knob alone")
def slice_figure(frames: Frames, ablation: Ablation) -> Figure:
    """Plot the objective over each knob of one sweep."""
    return plot_slices(parallel_coordinates(trial_table(frames, sweep_of(frames, ablation))))


@kind_figure("parallel", "All knobs at once")
def sweep_parallel_figure(frames: Frames, ablation: Ablation) -> Figure:
    """Plot the trials of a sweep in parallel coordinates.

    Raises:
        ValueError: fewer than two knobs vary.
    """
    table = trial_table(frames, sweep_of(frames, ablation))
    if len(table.knobs) < 2:
        raise ValueError(
            f"parallel coordinates need two knobs, and the trials of {ablation.name} vary"
            f" {len(table.knobs)}: type slice instead of parallel"
        )
    return plot_parallel_coordinates(parallel_coordinates(table))


@search_figure("axes", "Each knob alone", lambda table: len(table.knobs) > 0)
def slices_figure(table: TrialTable) -> Figure:
    """Plot the objective over each knob of a search."""
    return plot_slices(parallel_coordinates(table))


@search_figure("parallel", "All knobs at once", lambda table: len(table.knobs) > 1)
def parallel_coordinates_figure(table: TrialTable) -> Figure:
    """Plot the trials of a search in parallel coordinates."""
    return plot_parallel_coordinates(parallel_coordinates(table))
