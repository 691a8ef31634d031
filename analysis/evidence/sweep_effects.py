"""Estimate main effects and interactions of a factorial sweep from its records."""

import math

import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import replicates
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.stats.factorial import FactorialEffect, factorial_effects, signs_of
from clip_hparam.analysis.stats.intervals import Estimate

INCOMPLETE_DESIGN = Estimate(
    math.nan, math.nan, math.nan, math.nan, 0, "incomplete: a cell has no mean"
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
    return [effect._replace(estimate=INCOMPLETE_DESIGN) for effect in effects]
