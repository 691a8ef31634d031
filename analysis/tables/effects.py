"""A factorial sweep's main effects and interactions: as numbers, as a table, as a figure."""

import math

import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import evidence, replicates
from clip_hparam.analysis.figures.forest_plot import Effect, Effects
from clip_hparam.analysis.figures.knob_curve import counted
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.stats.factorial import FactorialEffect, factorial_effects, signs_of
from clip_hparam.analysis.stats.intervals import Estimate, holm
from clip_hparam.analysis.tables.footnotes import notes
from clip_hparam.analysis.tables.table import Table, difference_text

INCOMPLETE = Estimate(math.nan, math.nan, math.nan, math.nan, 0, "incomplete: a cell has no mean")
RULE = (
    "An effect is the mean accuracy with the factor less that without it, over all settings of the"
    " others; a:b is half of what one does to the effect of the other. 95 % t interval over seeds."
    " Bold: the interval excludes zero (Holm-adjusted p over the table: csv)."
)


def sweep_effects(frames: Frames, ablation: Ablation) -> list[FactorialEffect]:
    """Over the seeds that all cells have; without a number while any run is missing.

    Raises NotSweptError, and ValueError where the cells are no factorial design.
    """
    cells = replicates(frames, ablation)
    factors, signs = signs_of([cell.cell.label for cell in cells])
    seeds = pd.concat([cell.values for cell in cells], axis=1, join="inner")
    effects = factorial_effects(factors, signs, np.nan_to_num(seeds.to_numpy(dtype=float).T))
    if all(cell.complete for cell in cells):
        return effects
    return [effect._replace(estimate=INCOMPLETE) for effect in effects]


def forest(frames: Frames, ablation: Ablation) -> Effects:
    effects = sweep_effects(frames, ablation)
    rows = [Effect(one.label, *one.estimate[:3], one.estimate.why) for one in effects]
    seeds = counted(evidence(frames, ablation))
    return Effects(f"{ablation.title}: effects", "effect on test accuracy, points", rows, seeds)


def effects_table(frames: Frames, ablation: Ablation) -> Table:
    """Raises NotSweptError, and ValueError where the cells are no factorial design."""
    effects = sweep_effects(frames, ablation)
    data = pd.DataFrame([_row(effect) for effect in effects])
    data["p_holm"] = holm(list(data["p"]))
    shown = pd.DataFrame({
        "effect": data["effect"],
        "Δ, points": [difference_text(*one.estimate[:3]) for one in effects],
        "seeds": data["n"].astype(str),
    }, dtype="str")  # fmt: skip
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    bold["Δ, points"] = [one.estimate.excludes_zero for one in effects]
    first, selection, *_ = notes(frames, ablation, evidence(frames, ablation))
    title = f"{ablation.title}: main effects and interactions"
    return Table(f"{ablation.name}_effects", title, data, shown, bold, [first, selection, RULE])


def _row(effect: FactorialEffect) -> dict[str, object]:
    one = effect.estimate
    return {
        "effect": effect.label, "delta": one.mean, "delta_low": one.low, "delta_high": one.high,
        "n": one.n, "why": one.why, "p": one.p,
    }  # fmt: skip
