"""Differences with their intervals, a row each: what excludes zero and what does not."""

import math
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import evidence
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.knob_curve import SEEDS, counted
from clip_hparam.analysis.frames.frame import Frames


class Effect(NamedTuple):
    """In points; NaN where there is no number, and then `why` says so."""

    label: str
    mean: float
    low: float
    high: float
    why: str


class Effects(NamedTuple):
    title: str
    axis: str
    effects: list[Effect]
    seeds: str  # a cell: "3", or "2 to 5"


def cell_effects(frames: Frames, ablation: Ablation) -> Effects:
    """Every cell but the first against the first, paired by seed. Raises NotSweptError."""
    data = evidence(frames, ablation)
    first = data[ablation.row].iloc[0]
    effects = [
        Effect(
            str(row[ablation.row]), row["baseline_delta"],
            row["baseline_delta_low"], row["baseline_delta_high"], row["baseline_delta_why"],
        )
        for _, row in data.iloc[1:].iterrows()
    ]  # fmt: skip
    return Effects(ablation.title, f"test accuracy against {first}, points", effects, counted(data))


def draw_effects(data: Effects) -> Figure:
    """Filled where the interval excludes zero, open where it does not."""
    drawn = style.figure(style.COLUMN, 0.8 + 0.26 * len(data.effects))
    with style.in_style():
        axes = drawn.subplots()
        axes.axvline(0, color=style.INK, linewidth=0.7)
        for place, effect in enumerate(data.effects):
            if math.isnan(effect.mean):
                axes.text(0, place, f" {effect.why}", va="center", fontsize=6.5)
                continue
            axes.hlines(place, effect.low, effect.high, color=style.EMA, linewidth=1.6)
            sure = effect.low > 0 or effect.high < 0
            fill = style.INK if sure else "white"
            (dot,) = axes.plot([effect.mean], [place], "o", color=style.INK, markersize=4.5)
            dot.set_markerfacecolor(fill)
        axes.set_yticks(
            range(len(data.effects)), [style.plain(effect.label) for effect in data.effects]
        )
        rule = f"{SEEDS.format(data.seeds)}; filled: excludes zero"
        axes.set(ylim=(len(data.effects) - 0.4, -0.6))
        axes.set_xlabel(f"{style.plain(data.axis, 60)}\n{rule}")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        drawn.suptitle(style.plain(data.title, 60), fontsize=8.5)
    return drawn
