"""The common style of all figures: widths of a paper's columns and colours for every reader.

Colours are those of Okabe and Ito, which colour-blind readers tell apart; a hatch or a marker
repeats each distinction without colour. Figures are made without pyplot, so there is no global
state and no display is needed.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clip_hparam.config.identity import shorten
from clip_hparam.records.atomic import write_atomic

COLUMN_INCHES, PAGE_INCHES = 3.35, 6.9  # one column, and both columns, of a two-column paper
OURS_COLOUR, PAPER_COLOUR, COST_COLOUR, INK_COLOUR = "#8fc4e8", "#e6e6e6", "#d55e00", "#222222"
RAW_COLOUR, EMA_COLOUR = "#e69f00", "#0072b2"
SEEDS_LABEL, IMAGES_LABEL = "95 %, {} seeds", "95 %, {:,} test images"
MAX_VECTOR_POINTS = 2_000
OPEN_MARKER: dict[str, Any] = {
    "markeredgecolor": INK_COLOUR,
    "markeredgewidth": 0.9,
    "zorder": 5,
}
RC_PARAMS: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7,
    "legend.handlelength": 1.6,
    "legend.columnspacing": 1.2,
    "axes.linewidth": 0.7,
    "hatch.linewidth": 0.5,
    "pdf.fonttype": 42,  # text stays text in the PDF
    "svg.fonttype": "none",
}


def house_style(overrides: dict[Any, Any] | None = None) -> AbstractContextManager[None]:
    """Return a context in which figures are plotted and saved with our matplotlib parameters."""
    return mpl.rc_context({**RC_PARAMS, **(overrides or {})})


def create_figure(width: float, height: float) -> Figure:
    """Return an empty figure in the house style; width and height in inches."""
    with house_style():
        return Figure(figsize=(width, height), dpi=150, layout="constrained")


def format_seed_counts(data: pd.DataFrame) -> str:
    """Return the number of seeds per cell as text: "3", or "2 to 5" where cells differ."""
    counts = sorted({int(n) for n in data["n"]})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


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


def mark_best(axes: Axes, x: Sequence[float], y: Sequence[float], label: str = "best") -> None:
    """Plot open stars at the selected epochs or trials."""
    axes.plot(x, y, "*", markersize=10, markerfacecolor="none", label=label, **OPEN_MARKER)


def mark_last(axes: Axes, x: Sequence[float], y: Sequence[float], label: str = "last") -> None:
    """Plot open squares at the last epochs."""
    axes.plot(x, y, "s", markersize=4.5, markerfacecolor="white", label=label, **OPEN_MARKER)


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write name.png (300 dpi) and name.pdf into the folder and return their paths.

    Raises:
        OSError: the folder cannot be written.
    """
    paths: list[Path] = []
    for suffix in ("png", "pdf"):
        content = BytesIO()
        with house_style():
            undated = {"png": {}, "pdf": {"CreationDate": None}}[suffix]
            figure.savefig(content, format=suffix, dpi=300, metadata=undated)
        paths.append(folder / f"{name}.{suffix}")
        write_atomic(paths[-1], content.getvalue())
    return paths
