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

from clip_hparam.analysis.evidence.evidence import knob_text
from clip_hparam.analysis.evidence.importance import axis
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.frames.trial_table import Study, is_number
from clip_hparam.analysis.tables.table import title_of

MISSING, TICKS = "(missing)", 6
ROOM = 96  # letters that stand side by side under a figure of a page's width


class KnobAxis(NamedTuple):
    """One knob's places, a trial each, and what is written at some of them."""

    knob: str
    places: list[float]
    ticks: dict[float, str]


class Search(NamedTuple):
    """Every trial that has the objective: its place on each knob's axis, and its objective."""

    objective: str
    minimize: bool
    values: list[float]
    axes: list[KnobAxis]
    best: int  # which trial


def search(study: Study) -> Search:
    """Raises ValueError if no row has the objective."""
    if study.best is None:
        raise ValueError(f"no row has {study.objective}: nothing to draw")
    values = study.scored[study.objective].astype(float).to_list()
    axes = [_knob_axis(study, knob) for knob in study.knobs]
    best = int(study.gains.to_numpy().argmax())
    return Search(study.objective, study.minimize, values, axes, best)


def apart(ticks: dict[float, str], share: float) -> dict[float, str]:
    """Without those that would be written over another: at least a share of the span lies between.

    The ends stay.
    """
    places = sorted(ticks)
    least = share * (places[-1] - places[0])
    kept = places[:1]
    for place in places[1:-1]:
        if place - kept[-1] >= least and places[-1] - place >= least:
            kept.append(place)
    return {place: ticks[place] for place in dict.fromkeys([*kept, places[-1]])}


def draw_axes(data: Search) -> Figure:
    """A panel a knob, a point a trial: what one sees of a knob while all the others vary."""
    columns = min(3, len(data.axes))
    rows = math.ceil(len(data.axes) / columns)
    drawn = style.figure(style.PAGE, 0.3 + 1.75 * rows)
    with style.in_style():
        grid = drawn.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for panel, axis_ in zip(grid, data.axes, strict=False):
            panel.plot(
                axis_.places, data.values, "o", color=style.EMA, markersize=3, alpha=0.5,
                rasterized=style.many(len(data.values)),
            )  # fmt: skip
            best = axis_.places[data.best], data.values[data.best]
            style.mark_best(panel, [best[0]], [best[1]])
            longest = max(map(len, axis_.ticks.values()))
            turned = 30 if longest > 7 else 0
            ticks = axis_.ticks if turned else apart(axis_.ticks, 0.04 + 0.03 * longest)
            panel.set_xticks(
                list(ticks), ticks.values(), rotation=turned,
                ha="right" if turned else "center", rotation_mode="anchor",
            )  # fmt: skip
            panel.set_xlabel(style.plain(axis_.knob))
            panel.margins(0.1, 0.12)
        for panel in grid[len(data.axes) :]:
            panel.set_axis_off()
        drawn.supylabel(style.plain(title_of(data.objective)), fontsize=8)
    return drawn


def draw_parallel(data: Search) -> Figure:
    """A line a trial through its levels, darker where it is better; the best one on top."""
    drawn = style.figure(style.PAGE, 2.8)
    with style.in_style():
        panel = drawn.subplots()
        heights = np.column_stack([_unit(axis_.places) for axis_ in data.axes])
        order = np.argsort(np.array(data.values) * (-1 if data.minimize else 1))
        lines = [np.column_stack([np.arange(len(data.axes)), heights[trial]]) for trial in order]
        shades = LineCollection(lines, cmap=_blues(data.minimize), alpha=0.8)
        shades.set(array=np.array(data.values)[order], linewidth=0.8)
        shades.set_rasterized(style.many(len(lines)))
        panel.add_collection(shades)
        panel.plot(heights[data.best], "-", color=style.COST, linewidth=1.8, label="best")
        for place, axis_ in enumerate(data.axes):
            _draw_upright(panel, place, axis_)
        panel.set(xlim=(-0.3, len(data.axes) - 0.5), ylim=(-0.05, 1.05), yticks=[])
        panel.set_xticks(
            range(len(data.axes)),
            [style.plain(axis_.knob, max(8, ROOM // len(data.axes))) for axis_ in data.axes],
        )
        panel.spines[:].set_visible(False)
        drawn.colorbar(shades, label=style.plain(title_of(data.objective)))
        drawn.legend(loc="outside upper right", frameon=False)
    return drawn


def _blues(minimize: bool) -> ListedColormap:
    """Without the pale end: the worst trial is seen too."""
    blues = mpl.colormaps["Blues"](np.linspace(0.25, 1, 256))
    return ListedColormap(blues[::-1] if minimize else blues)


def _draw_upright(panel: Axes, place: int, axis_: KnobAxis) -> None:
    panel.axvline(place, color=style.INK, linewidth=0.7)
    ticks = apart(axis_.ticks, 0.05)
    heights = _unit([*axis_.places, *ticks])[len(axis_.places) :]
    halo = [withStroke(linewidth=2, foreground="white")]
    for height, text in zip(heights, ticks.values(), strict=True):
        panel.text(place + 0.03, height, text, fontsize=6.5, va="center", path_effects=halo)


def _knob_axis(study: Study, knob: str) -> KnobAxis:
    """Ticks at the levels, at a few of them where there are many; names are spaced evenly."""
    values = study.scored[knob]
    raw = axis(values, decades=1)
    if not is_number(values):
        levels = sorted(raw.unique())
        places = [float(levels.index(level)) for level in raw]
        return KnobAxis(
            knob, places, {float(at): style.plain(str(text), 16) for at, text in enumerate(levels)}
        )
    texts = {
        float(place): MISSING if value is None else knob_text(value)
        for place, value in zip(raw, values.astype(object).where(values.notna(), None), strict=True)
    }
    places = sorted(texts)
    if len(places) > TICKS:
        wanted = np.linspace(places[0], places[-1], TICKS)
        places = sorted({min(places, key=lambda place: abs(place - want)) for want in wanted})
        texts = {place: rounded(texts[place]) for place in places}
    return KnobAxis(
        knob, [float(place) for place in raw], {place: texts[place] for place in places}
    )


def rounded(text: str) -> str:
    """Two digits of one of many numbers: a tick, not a level to be read off."""
    return text if text == MISSING else f"{float(text):.2g}"


def _unit(places: list[float]) -> np.ndarray:
    """On 0 to 1; in the middle where there is one place only."""
    at = np.asarray(places, dtype=float)
    span = np.ptp(at)
    return (at - at.min()) / span if span else np.full(len(at), 0.5)
