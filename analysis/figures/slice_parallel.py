"""A search by its knobs: each one alone against the objective, and all at once in parallel."""

import math
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from clip_hparam.analysis.evidence.importance import axis_positions
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.frames.labels import format_knob, metric_title
from clip_hparam.analysis.frames.trial_table import TrialTable, is_numeric

MISSING_LABEL, MAX_TICKS = "(missing)", 6
PAGE_WIDTH_CHARACTERS = 96  # letters that stand side by side under a figure of a page's width


class KnobAxis(NamedTuple):
    """One knob's positions, a trial each, and what is written at some of them."""

    knob: str
    positions: list[float]
    ticks: dict[float, str]


class ParallelCoordinates(NamedTuple):
    """Every trial that has the objective: its place on each knob's axis, and its objective."""

    objective: str
    minimize: bool
    values: list[float]
    axes: list[KnobAxis]
    best: int  # which trial


def parallel_coordinates(study: TrialTable) -> ParallelCoordinates:
    """Raises ValueError if no row has the objective."""
    if study.best is None:
        raise ValueError(f"no row has {study.objective}: nothing to draw")
    values = study.scored[study.objective].astype(float).to_list()
    axes = [_knob_axis(study, knob) for knob in study.knobs]
    best = int(study.gains.to_numpy().argmax())
    return ParallelCoordinates(study.objective, study.minimize, values, axes, best)


def thin_ticks(ticks: dict[float, str], share: float) -> dict[float, str]:
    """Without those that would be written over another: at least a share of the span lies between.

    The ends stay.
    """
    positions = sorted(ticks)
    least = share * (positions[-1] - positions[0])
    kept = positions[:1]
    for place in positions[1:-1]:
        if place - kept[-1] >= least and positions[-1] - place >= least:
            kept.append(place)
    return {place: ticks[place] for place in dict.fromkeys([*kept, positions[-1]])}


def plot_slices(data: ParallelCoordinates) -> Figure:
    """A panel a knob, a point a trial: what one sees of a knob while all the others vary."""
    columns = min(3, len(data.axes))
    rows = math.ceil(len(data.axes) / columns)
    drawn = style.create_figure(style.PAGE_INCHES, 0.3 + 1.75 * rows)
    with style.house_style():
        grid = drawn.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for panel, axis_ in zip(grid, data.axes, strict=False):
            panel.plot(
                axis_.positions, data.values, "o", color=style.EMA_COLOUR, markersize=3, alpha=0.5,
                rasterized=style.should_rasterize(len(data.values)),
            )  # fmt: skip
            best = axis_.positions[data.best], data.values[data.best]
            style.mark_best(panel, [best[0]], [best[1]])
            longest = max(map(len, axis_.ticks.values()))
            turned = 30 if longest > 7 else 0
            ticks = axis_.ticks if turned else thin_ticks(axis_.ticks, 0.04 + 0.03 * longest)
            panel.set_xticks(
                list(ticks), ticks.values(), rotation=turned,
                ha="right" if turned else "center", rotation_mode="anchor",
            )  # fmt: skip
            panel.set_xlabel(style.safe_text(axis_.knob))
            panel.margins(0.1, 0.12)
        for panel in grid[len(data.axes) :]:
            panel.set_axis_off()
        drawn.supylabel(style.safe_text(metric_title(data.objective)), fontsize=8)
    return drawn


def plot_parallel_coordinates(data: ParallelCoordinates) -> Figure:
    """A line a trial through its levels, darker where it is better; the best one on top."""
    drawn = style.create_figure(style.PAGE_INCHES, 2.8)
    with style.house_style():
        panel = drawn.subplots()
        heights = np.column_stack([_to_unit_range(axis_.positions) for axis_ in data.axes])
        order = np.argsort(np.array(data.values) * (-1 if data.minimize else 1))
        lines = [np.column_stack([np.arange(len(data.axes)), heights[trial]]) for trial in order]
        shades = LineCollection(lines, cmap=_blue_colormap(data.minimize), alpha=0.8)
        shades.set(array=np.array(data.values)[order], linewidth=0.8)
        shades.set_rasterized(style.should_rasterize(len(lines)))
        panel.add_collection(shades)
        panel.plot(heights[data.best], "-", color=style.COST_COLOUR, linewidth=1.8, label="best")
        for place, axis_ in enumerate(data.axes):
            _plot_knob_axis(panel, place, axis_)
        panel.set(xlim=(-0.3, len(data.axes) - 0.5), ylim=(-0.05, 1.05), yticks=[])
        panel.set_xticks(
            range(len(data.axes)),
            [
                style.safe_text(axis_.knob, max(8, PAGE_WIDTH_CHARACTERS // len(data.axes)))
                for axis_ in data.axes
            ],
        )
        panel.spines[:].set_visible(False)
        drawn.colorbar(shades, label=style.safe_text(metric_title(data.objective)))
        drawn.legend(loc="outside upper right", frameon=False)
    return drawn


def _blue_colormap(minimize: bool) -> ListedColormap:
    """Without the pale end: the worst trial is seen too."""
    blues = mpl.colormaps["Blues"](np.linspace(0.25, 1, 256))
    return ListedColormap(blues[::-1] if minimize else blues)


def _plot_knob_axis(panel: Axes, place: int, axis_: KnobAxis) -> None:
    panel.axvline(place, color=style.INK_COLOUR, linewidth=0.7)
    ticks = thin_ticks(axis_.ticks, 0.05)
    heights = _to_unit_range([*axis_.positions, *ticks])[len(axis_.positions) :]
    halo = [withStroke(linewidth=2, foreground="white")]
    for height, text in zip(heights, ticks.values(), strict=True):
        panel.text(place + 0.03, height, text, fontsize=6.5, va="center", path_effects=halo)


def _knob_axis(study: TrialTable, knob: str) -> KnobAxis:
    """Ticks at the levels, at a few of them where there are many; names are spaced evenly."""
    values = study.scored[knob]
    raw = axis_positions(values, decades=1)
    if not is_numeric(values):
        levels = sorted(raw.unique())
        positions = [float(levels.index(level)) for level in raw]
        return KnobAxis(
            knob,
            positions,
            {float(at): style.safe_text(str(text), 16) for at, text in enumerate(levels)},
        )
    texts = {
        float(place): MISSING_LABEL if value is None else format_knob(value)
        for place, value in zip(raw, values.astype(object).where(values.notna(), None), strict=True)
    }
    positions = sorted(texts)
    if len(positions) > MAX_TICKS:
        wanted = np.linspace(positions[0], positions[-1], MAX_TICKS)
        positions = sorted({min(positions, key=lambda place: abs(place - want)) for want in wanted})
        texts = {place: round_tick(texts[place]) for place in positions}
    return KnobAxis(
        knob, [float(place) for place in raw], {place: texts[place] for place in positions}
    )


def round_tick(text: str) -> str:
    """Two digits of one of many numbers: a tick, not a level to be read off."""
    return text if text == MISSING_LABEL else f"{float(text):.2g}"


def _to_unit_range(positions: list[float]) -> np.ndarray:
    """On 0 to 1; in the middle where there is one place only."""
    at = np.asarray(positions, dtype=float)
    span = np.ptp(at)
    return (at - at.min()) / span if span else np.full(len(at), 0.5)
