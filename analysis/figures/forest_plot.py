"""Differences with their intervals, a row each: what excludes zero and what does not."""

import math
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.sweep_effects import sweep_effects
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.style import SEEDS_LABEL, format_seed_counts
from clip_hparam.analysis.frames.frame import Frames


class ForestRow(NamedTuple):
    """In points; NaN where there is no number, and then `why` says so."""

    label: str
    mean: float
    low: float
    high: float
    why: str


class ForestPlot(NamedTuple):
    title: str
    axis: str
    effects: list[ForestRow]
    seeds: str  # a cell: "3", or "2 to 5"


def cell_forest(frames: Frames, ablation: Ablation) -> ForestPlot:
    """Every cell but the first against the first, paired by seed. Raises NotSweptError."""
    data = cell_evidence(frames, ablation)
    first = data[ablation.row].iloc[0]
    effects = [
        ForestRow(
            str(row[ablation.row]), row["baseline_delta"],
            row["baseline_delta_low"], row["baseline_delta_high"], row["baseline_delta_why"],
        )
        for _, row in data.iloc[1:].iterrows()
    ]  # fmt: skip
    return ForestPlot(
        ablation.title, f"test accuracy against {first}, points", effects, format_seed_counts(data)
    )


def plot_forest(data: ForestPlot) -> Figure:
    """Filled where the interval excludes zero, open where it does not."""
    drawn = style.create_figure(style.COLUMN_INCHES, 0.8 + 0.26 * len(data.effects))
    with style.house_style():
        axes = drawn.subplots()
        axes.axvline(0, color=style.INK_COLOUR, linewidth=0.7)
        for place, effect in enumerate(data.effects):
            if math.isnan(effect.mean):
                axes.text(0, place, f" {effect.why}", va="center", fontsize=6.5)
                continue
            axes.hlines(place, effect.low, effect.high, color=style.EMA_COLOUR, linewidth=1.6)
            sure = effect.low > 0 or effect.high < 0
            fill = style.INK_COLOUR if sure else "white"
            (dot,) = axes.plot([effect.mean], [place], "o", color=style.INK_COLOUR, markersize=4.5)
            dot.set_markerfacecolor(fill)
        axes.set_yticks(
            range(len(data.effects)), [style.safe_text(effect.label) for effect in data.effects]
        )
        rule = f"{SEEDS_LABEL.format(data.seeds)}; filled: excludes zero"
        axes.set(ylim=(len(data.effects) - 0.4, -0.6))
        axes.set_xlabel(f"{style.safe_text(data.axis, 60)}\n{rule}")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        drawn.suptitle(style.safe_text(data.title, 60), fontsize=8.5)
    return drawn


def factorial_forest(frames: Frames, ablation: Ablation) -> ForestPlot:
    effects = sweep_effects(frames, ablation)
    rows = [ForestRow(one.label, *one.estimate[:3], one.estimate.why) for one in effects]
    seeds = format_seed_counts(cell_evidence(frames, ablation))
    return ForestPlot(f"{ablation.title}: effects", "effect on test accuracy, points", rows, seeds)
