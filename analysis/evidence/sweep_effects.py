"""Estimate main effects and interactions of a factorial sweep from its records."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.replicates import replicates
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.stats.factorial import FactorialEffect, Signs, factorial_effects, signs_of
from clip_hparam.analysis.stats.intervals import Estimate

INCOMPLETE_DESIGN = Estimate(
    math.nan, math.nan, math.nan, math.nan, 0, "incomplete: a cell has no mean"
)


class FactorialValues(NamedTuple):
    """The cells of a factorial sweep as arrays, over the seeds that all cells have."""

    factors: list[str]
    signs: Signs  # shape (cells, factors)
    values: NDArray[np.float64]  # the reported metric, shape (cells, seeds); NaN: a missing run
    complete: bool  # no run is missing


def factorial_values(frames: Frames, ablation: Ablation) -> FactorialValues:
    """Return the signs and the results of the cells of a factorial sweep.

    Raises:
        NotSweptError: the sweep is not on record.
    """
    cells = replicates(frames, ablation)
    factors, signs = signs_of([cell.cell.label for cell in cells])
    seeds = pd.concat([cell.values for cell in cells], axis=1, join="inner")
    complete = all(cell.complete for cell in cells)
    return FactorialValues(factors, signs, seeds.to_numpy(dtype=float).T, complete)


def sweep_effects(frames: Frames, ablation: Ablation) -> list[FactorialEffect]:
    """Return the effects of a factorial sweep; estimates are NaN while a run is missing.

    Raises:
        NotSweptError: the sweep is not on record.
        ValueError: the cells are no factorial design.
    """
    factors, signs, values, complete = factorial_values(frames, ablation)
    effects = factorial_effects(factors, signs, np.nan_to_num(values))
    if complete:
        return effects
    return [effect._replace(estimate=INCOMPLETE_DESIGN) for effect in effects]
