"""The common style of all figures: sizes for a paper or for slides, colours for every reader.

Colours are those of Okabe and Ito, which colour-blind readers tell apart; a marker or a dash
repeats each distinction without colour. Figures are made without pyplot, so there is no global
state and no display is needed.
"""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import matplotlib as mpl
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.images.image_level import has_one_seed, image_count
from clip_hparam.config.identity import shorten

COLUMN_INCHES, PAGE_INCHES = 3.25, 6.75  # one column, and both columns, of a two-column paper
OURS_COLOUR, PAPER_COLOUR, COST_COLOUR, INK_COLOUR = "#8fc4e8", "#e6e6e6", "#d55e00", "#222222"
RAW_COLOUR, EMA_COLOUR, SEED_COLOUR = "#e69f00", "#0072b2", "#777777"
SEEDS_LABEL, IMAGES_LABEL = "95 %, {} seeds", "95 %, {:,} test images"
ONE_SEED = "one seed"
MAX_VECTOR_POINTS = 2_000
CHARACTERS_PER_INCH, LINE_INCHES, MAX_TITLE_LINES = 15, 0.15, 3  # for a title in 8.5 points
LEGEND_CHARACTERS_PER_INCH = 15
RC_PARAMS: dict[str, Any] = {
    "legend.handlelength": 1.6,
    "legend.columnspacing": 1.2,
    "pdf.fonttype": 42,  # text stays text in the PDF
    "svg.fonttype": "none",
}
RC_POINTS = {  # sizes in points in a paper
    "font.size": 8,
    "figure.titlesize": 8.5,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7,
    "axes.linewidth": 0.7,
    "axes.titlepad": 5,
    "axes.labelpad": 3,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.major.pad": 3,
    "ytick.major.pad": 3,
}


class Style(NamedTuple):
    """The purpose of figures: a paper or slides.

    width: of every figure, in inches; None: each figure has the width of a column or of a page.
    scale: factor on heights and on all sizes in points; 1 is a text of 8 points.
    """

    name: str
    width: float | None
    scale: float


STYLES = {"paper": Style("paper", None, 1.0), "slides": Style("slides", 10.0, 2.0)}
_active: ContextVar[Style] = ContextVar("style", default=STYLES["paper"])


def find_style(name: str, width: str = "") -> Style:
    """Return the style; with a width, "column" or "page", all figures of a paper have it."""
    inches = {"column": COLUMN_INCHES, "page": PAGE_INCHES}.get(width)
    style = STYLES[name]
    return style._replace(width=inches) if inches and style.width is None else style


@contextmanager
def use_style(style: Style) -> Iterator[None]:
    """Plot and save figures in a style inside the context."""
    token = _active.set(style)
    try:
        yield
    finally:
        _active.reset(token)


def points(size: float) -> float:
    """Return a size in points of the active style, from that in a paper."""
    return size * _active.get().scale


def house_style(overrides: dict[Any, Any] | None = None) -> AbstractContextManager[None]:
    """Return a context in which figures are plotted and saved with our matplotlib parameters."""
    sizes: dict[Any, Any] = {name: points(size) for name, size in RC_POINTS.items()}
    return mpl.rc_context(dict[Any, Any](RC_PARAMS) | sizes | (overrides or {}))


def create_figure(width: float, height: float) -> Figure:
    """Return an empty figure in the active style; width and height in inches of a paper."""
    active = _active.get()
    size = (active.width or width, height * active.scale)
    with house_style():
        return Figure(figsize=size, dpi=150, layout="constrained")


def root_figure(artist: Artist) -> Figure:
    """Return the figure of axes, of an axis or of a text."""
    figure = artist.get_figure(root=True)
    assert figure is not None
    return figure


def paper_width(figure: Figure) -> float:
    """Return the width of a figure in inches, as if its text had the size of a paper's."""
    return float(figure.get_figwidth()) / _active.get().scale


def with_left_out(title: str, left_out: int, what: str = "cells") -> str:
    """Return the title with the number of cells that have no place in the figure."""
    return f"{title}: {left_out} more {what} not shown" if left_out else title


def add_legend(figure: Figure, handles: Sequence[Artist], labels: Sequence[str]) -> None:
    """Write a legend below the axes, in as many columns as the figure is wide enough for.

    Of several handles with one label the first is shown.
    """
    first = {label: handle for handle, label in reversed(list(zip(handles, labels, strict=True)))}
    labels = list(dict.fromkeys(labels))
    handles = [first[label] for label in labels]
    characters = int(LEGEND_CHARACTERS_PER_INCH * paper_width(figure))
    texts = [textwrap.fill(label, characters) for label in labels]
    for columns in range(len(texts), 0, -1):
        legend = figure.legend(
            list(handles), texts, loc="outside lower center", ncols=columns, frameon=False
        )
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()


def format_seed_counts(data: pd.DataFrame) -> str:
    """Return the number of seeds per cell as text: "3", or "2 to 5" where cells differ."""
    counts = sorted({int(n) for n in data["n"]})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def interval_label(data: pd.DataFrame) -> str:
    """Return what the intervals of `cell_evidence` are over: seeds, or test images with one."""
    if has_one_seed(data):
        return f"{IMAGES_LABEL.format(image_count(data))}, {ONE_SEED}"
    return seeds_label(format_seed_counts(data))


def seeds_label(seeds: str) -> str:
    """Return the legend of intervals over seeds; one seed has no interval."""
    return f"{ONE_SEED}: no interval" if seeds == "1" else SEEDS_LABEL.format(seeds)


def clip_to_percent(
    get_limits: Callable[[], tuple[float, float]], set_limits: Callable[..., Any], metric: str
) -> None:
    """Limit the axis of a metric in percent to 0..100: intervals of few seeds may exceed it."""
    if metric.endswith("%"):
        low, high = get_limits()
        set_limits(max(low, -0.5), min(high, 100.5))


def should_rasterize(n_points: int) -> bool:
    """Return whether a vector file would be too large with this number of points."""
    return n_points > MAX_VECTOR_POINTS


def safe_text(text: str, limit: int = 32) -> str:
    """Return text from records, never read as mathematics and at most `limit` characters long."""
    return shorten(text, limit).replace("$", r"\$")


def set_title(figure: Figure, title: str) -> None:
    """Write a title from records above a figure, and make the figure higher for further lines."""
    characters = int(CHARACTERS_PER_INCH * paper_width(figure))
    lines = textwrap.wrap(safe_text(title, MAX_TITLE_LINES * characters), characters)
    height = LINE_INCHES * _active.get().scale * (len(lines) - 1)
    figure.set_figheight(figure.get_figheight() + height)
    figure.suptitle("\n".join(lines))


def mark_best(axes: Axes, x: Sequence[float], y: Sequence[float], label: str = "best") -> None:
    """Plot open stars at the selected epochs or trials."""
    size = points(10)
    axes.plot(x, y, "*", markersize=size, markerfacecolor="none", label=label, **open_marker())


def mark_last(axes: Axes, x: Sequence[float], y: Sequence[float], label: str = "last") -> None:
    """Plot open squares at the last epochs."""
    axes.plot(x, y, "s", markerfacecolor="white", label=label, **open_marker())


def open_marker() -> dict[str, Any]:
    """Return the edge of an open marker."""
    return {"markeredgecolor": INK_COLOUR, "markeredgewidth": points(0.9), "zorder": 5}
