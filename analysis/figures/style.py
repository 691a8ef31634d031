"""One look for all figures: paper widths, colour-blind-safe colours, readable without colour.

Colours are Okabe and Ito's; whatever a colour says is also said by a hatch or a marker. Figures
are made without pyplot: no global state, no display, nothing to close.
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

from clip_hparam.records.atomic import write_atomic

COLUMN_INCHES, PAGE_INCHES = (
    3.35,
    6.9,
)  # widths in inches: one column and both of a two-column paper
OURS_COLOUR, PAPER_COLOUR, COST_COLOUR, INK_COLOUR = "#8fc4e8", "#e6e6e6", "#d55e00", "#222222"
RAW_COLOUR, EMA_COLOUR = "#e69f00", "#0072b2"
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


def house_style(but: dict[Any, Any] | None = None) -> AbstractContextManager[None]:
    """Whatever is drawn or saved within looks like the rest, but for what is given."""
    return mpl.rc_context({**RC_PARAMS, **(but or {})})


def create_figure(width: float, height: float) -> Figure:
    """An empty figure in the house style; inches."""
    with house_style():
        return Figure(figsize=(width, height), dpi=150, layout="constrained")


def clip_to_percent(
    get: Callable[[], tuple[float, float]], limit: Callable[..., Any], metric: str
) -> None:
    """Intervals of few seeds may leave what an accuracy can be: the axis does not follow them."""
    if metric.endswith("%"):
        low, high = get()
        limit(max(low, -0.5), min(high, 100.5))


def should_rasterize(points: int) -> bool:
    """Whether there are so many points that a vector figure had better hold them as pixels."""
    return points > 2_000


def safe_text(text: str, limit: int = 32) -> str:
    """Text from records as it is, not as mathematics, and short enough to leave room for ink."""
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return short.replace("$", r"\$")


def mark_best(axes: Axes, x: Sequence[float], y: Sequence[float], label: str = "best") -> None:
    """Open stars: the epoch or trial that was chosen."""
    axes.plot(
        x, y, "*", markersize=10, markerfacecolor="none", markeredgecolor=INK_COLOUR,
        markeredgewidth=0.9, label=label, zorder=5,
    )  # fmt: skip


def mark_last(axes: Axes, x: Sequence[float], y: Sequence[float], label: str = "last") -> None:
    """Open squares: where a run ended."""
    axes.plot(
        x, y, "s", markersize=4.5, markerfacecolor="white", markeredgecolor=INK_COLOUR,
        markeredgewidth=0.9, label=label, zorder=5,
    )  # fmt: skip


def save_figure(drawn: Figure, folder: Path, name: str) -> list[Path]:
    """name.png (300 dpi) and name.pdf, each replaced whole. Raises OSError."""
    paths: list[Path] = []
    for suffix in ("png", "pdf"):
        content = BytesIO()
        with house_style():
            undated = {"png": {}, "pdf": {"CreationDate": None}}[suffix]
            drawn.savefig(content, format=suffix, dpi=300, metadata=undated)
        paths.append(folder / f"{name}.{suffix}")
        write_atomic(paths[-1], content.getvalue())
    return paths


SEEDS_LABEL, IMAGES_LABEL = "95 %, {} seeds", "95 %, {:,} test images"


def format_seed_counts(data: pd.DataFrame) -> str:
    """Seeds a cell: "3", or "2 to 5"."""
    counts = sorted({int(n) for n in data["n"]})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
