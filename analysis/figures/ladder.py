"""The ladder: accuracy and cost of each rung, beside the paper's numbers.

`ladder_panels` returns all numbers and labels of the figure, which tests compare with the records;
`plot_ladder` adds none.
"""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from clip_hparam.analysis.evidence.ablations import ABLATIONS, Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence, trials_of
from clip_hparam.analysis.evidence.images.image_level import by_images
from clip_hparam.analysis.evidence.published import LADDER_REFERENCE, TOWERS
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.registry import sweep_figure
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import format_done

# shares of a panel's height, chosen so that bars, costs and titles do not overlap
COST_TOP_SHARE, BARS_BOTTOM_SHARE, BARS_TOP_SHARE = 0.30, 0.44, 0.88
AXIS_BREAK_SHARE = 0.08  # the part of a broken axis that has no tick
IMAGENET_CLASSES = 1000
PAPER_COST = "V100-hours per run"
NAN = math.nan


class Bar(NamedTuple):
    """One rung; accuracies in percent, NaN where a run is missing."""

    label: str
    acc1: float
    low: float
    high: float
    cost: float
    missing: str = ""  # "2 of 5 runs", or empty


class Panel(NamedTuple):
    title: str
    cost_unit: str
    bars: list[Bar]
    whiskers: str = ""


class LadderPanels(NamedTuple):
    """The paper's Fig. 1 made from our records, and the paper's own numbers."""

    ours: Panel
    paper: Panel
    reference: tuple[str, float] | None  # of the system that the paper compares with
    same_scale: bool = False  # ours and the paper's are of one tower and data set


def ladder_panels(frames: Frames, ablation: Ablation = ABLATIONS["ladder"]) -> LadderPanels:
    """Return the bars of both panels.

    ablation: of one of several ladders; by default the newest.

    Raises:
        NotSweptError: no ladder is on record.
    """
    data = by_images(cell_evidence(frames, ablation))
    on_gpu = bool((data["gpu_hours"] > 0).any())
    unit, cost = ("GPU-hours", "gpu_hours") if on_gpu else ("seconds", "seconds")
    return LadderPanels(
        Panel(
            _title(frames, data, ablation.family),
            f"{unit} per run",
            [_our_bar(row, cost) for row in _rows(data)],
            f"whiskers: {style.interval_label(data)}",
        ),
        Panel(
            paper_title(ablation.family),
            PAPER_COST,
            [_paper_bar(row) for row in _rows(data.dropna(subset="paper_acc1"))],
        ),
        reference_of(ablation.family),
        same_scale=bool(ablation.family),
    )


def paper_title(family: str) -> str:
    return f"Paper: CLIP {TOWERS[family]} on ImageNet-1k"


def reference_of(family: str) -> tuple[str, float] | None:
    """Return title and accuracy of the system that the paper compares a tower with, if any."""
    if TOWERS[family] != TOWERS[""]:
        return None
    return LADDER_REFERENCE.title, LADDER_REFERENCE.acc1


def plot_ladder(data: LadderPanels) -> Figure:
    """Plot two panels, each with a zoomed accuracy axis and a cost axis that starts at 0."""
    figure = style.create_figure(style.PAGE_INCHES, 3.2)
    with style.house_style():
        ours, paper = figure.subplots(1, 2)
        both = [*data.ours.bars, *data.paper.bars]
        limits = accuracy_limits(both) if data.same_scale else None
        _plot_panel(ours, data.ours, style.OURS_COLOUR, "////", limits)
        if data.paper.bars:
            plot_paper_panel(paper, data.paper, data.reference, limits)
        else:
            paper.set_axis_off()
    return figure


def plot_paper_panel(
    axes: Axes,
    panel: Panel,
    reference: tuple[str, float] | None,
    limits: tuple[float, float] | None = None,
) -> None:
    """Plot the paper's bars, and a line at the system that the paper compares with."""
    _plot_panel(axes, panel, style.PAPER_COLOUR, "...", limits)
    if reference is None:
        return
    name, level = reference
    axes.axhline(level, color=style.INK_COLOUR, linewidth=0.7, linestyle=(0, (4, 2)), zorder=1)
    axes.annotate(name, (-0.45, level), (0, 2), textcoords="offset points", fontsize=6.5)


def accuracy_limits(bars: Iterable[Bar]) -> tuple[float, float]:
    """Return axis limits such that bars and intervals end above the costs and below the title.

    The axis never starts below 0; bars near 0 then overlap the part of the panel with the costs.
    """
    values = [value for bar in bars for value in (bar.acc1, bar.low, bar.high)]
    ends = [_clip_percent(value) for value in values if not math.isnan(value)]
    if not ends:
        return 0.0, 100.0
    low, high = min(ends), max(ends)
    scale = max(high - low, 0.5) / (BARS_TOP_SHARE - BARS_BOTTOM_SHARE)
    bottom = low - BARS_BOTTOM_SHARE * scale
    return (bottom, bottom + scale) if bottom > 0 else (0.0, max(high, 0.5) / BARS_TOP_SHARE)


def _clip_percent(acc1: float) -> float:
    """Return the end of an interval within 0..100: intervals of few seeds may exceed it."""
    return min(max(acc1, 0.0), 100.0)


def _title(frames: Frames, data: pd.DataFrame, family: str) -> str:
    trials = trials_of(frames, data)
    if family and set(trials["data.name"]) == {"imagenet"}:
        classes = trials.get("images.classes", pd.Series(dtype=float)).dropna().unique()
        all_of_it = set(classes) <= {IMAGENET_CLASSES}
        images = "ImageNet-1k" if all_of_it else f"{classes.max():.0f} classes of ImageNet"
        return f"Ours: CLIP {TOWERS[family]} on {images}"
    pairs = trials[["encoder.name", "data.name"]].drop_duplicates()
    names = [f"encoder {encoder} on {name}" for encoder, name in pairs.itertuples(index=False)]
    return f"Ours: {' and '.join(names)}" if names else "Ours"


def _rows(data: pd.DataFrame) -> list[pd.Series]:
    return [row for _, row in data.iterrows()]


def _our_bar(row: pd.Series, cost: str) -> Bar:
    missing = f"{format_done(row['n'], row['asked'])} runs" if row["n"] < row["asked"] else ""
    values = (row["test_acc1"], row["ci_low"], row["ci_high"], row[cost])
    return Bar(_label(row), *values, missing)


def _paper_bar(row: pd.Series) -> Bar:
    return Bar(_label(row), row["paper_acc1"], NAN, NAN, row["paper_v100_hours"])


def _label(row: pd.Series) -> str:
    return str(row["rung"]).replace("_", " ")


def _plot_panel(
    axes: Axes, panel: Panel, colour: str, hatch: str, limits: tuple[float, float] | None = None
) -> None:
    bottom, top = limits or accuracy_limits(panel.bars)
    for x, bar in enumerate(panel.bars):
        _plot_bar(axes, x, bar, bottom, color=colour, hatch=hatch)
    axes.set(ylim=(bottom, top), xlim=(-0.6, len(panel.bars) - 0.4), title=panel.title)
    axes.set_ylabel("test accuracy, %")
    axes.set_xlabel(panel.whiskers, fontsize=7)
    labels = [style.safe_text(bar.label, 60) for bar in panel.bars]
    axes.set_xticks(range(len(labels)), labels, rotation=35, ha="right", rotation_mode="anchor")
    if bottom > 0:
        _mark_broken_axis(axes, bottom)
    _plot_costs(axes, panel)


def _mark_broken_axis(axes: Axes, bottom: float) -> None:
    """Break the axis and write where it starts: bars that do not start at 0 exaggerate."""
    axes.set_ylabel(f"{axes.get_ylabel()} (axis starts at {bottom:.1f})")
    low, high = axes.get_ylim()
    axes.set_yticks(
        [tick for tick in axes.get_yticks() if low + AXIS_BREAK_SHARE * (high - low) < tick < high]
    )
    (cut,) = axes.plot([0, 0], [0.025, 0.045], transform=axes.transAxes, color="k", clip_on=False)
    cut.set(marker=[(-1, -0.5), (1, 0.5)], markersize=7, linestyle="none")


def _plot_bar(axes: Axes, x: int, bar: Bar, bottom: float, **fill: Any) -> None:
    if math.isnan(bar.acc1):
        axes.annotate(
            bar.missing or "no run", (x, bottom), (0, 4), textcoords="offset points",
            rotation=90, ha="center", va="bottom", color=style.INK_COLOUR,
        )  # fmt: skip
        return
    height = bar.acc1 - bottom
    axes.bar(x, height, 0.74, bottom, edgecolor=style.INK_COLOUR, linewidth=0.6, **fill)
    end = bar.acc1
    if not math.isnan(bar.low):
        end = _clip_percent(bar.high)
        interval = [[bar.acc1 - _clip_percent(bar.low)], [end - bar.acc1]]
        axes.errorbar(x, bar.acc1, interval, color=style.INK_COLOUR, linewidth=1.1, capsize=2.5)
    text = f"{bar.acc1:.1f}"
    axes.annotate(text, (x, end), (0, 2), textcoords="offset points", ha="center", fontsize=7)


def _plot_costs(axes: Axes, panel: Panel) -> None:
    """Plot the costs as diamonds on a second axis, in the lowest part of the panel."""
    costs = [bar.cost for bar in panel.bars]
    if all(map(math.isnan, costs)):
        return
    highest = max((cost for cost in costs if not math.isnan(cost)), default=0.0) or 1.0
    second = axes.twinx()
    second.plot(
        range(len(costs)), costs, "D", markersize=4.5,
        markerfacecolor="white", markeredgecolor=style.COST_COLOUR, markeredgewidth=1.3,
    )  # fmt: skip
    second.set_ylim(0, highest / COST_TOP_SHARE)
    ticks = MaxNLocator(3).tick_values(0, highest)
    second.set_yticks([tick for tick in ticks if tick <= highest * 1.15])
    second.set_ylabel(f"◇ {panel.cost_unit}", loc="bottom", color=style.COST_COLOUR)


@sweep_figure("ladder")
def ladder_figure(frames: Frames, ablation: Ablation) -> Figure:
    return plot_ladder(ladder_panels(frames, ablation))
