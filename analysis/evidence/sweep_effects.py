"""Estimate main effects and interactions of a factorial sweep from its records."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.images.correct_bits import reported_bits
from clip_hparam.analysis.evidence.replicates import Replicates, replicates
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.json_files import UnreadableError
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
    images: int = 0  # with one seed: `values` are 0 or 100 for each of so many test images


def factorial_values(frames: Frames, ablation: Ablation) -> FactorialValues:
    """Return the signs and the results of the cells of a factorial sweep.

    With one seed the replicates are the test images, which are the same for all cells. Intervals of
    contrasts are then over paired images, for this seed only.

    Raises:
        NotSweptError: the sweep is not on record.
    """
    cells = replicates(frames, ablation)
    factors, signs = signs_of([cell.cell.label for cell in cells])
    seeds = pd.concat([cell.values for cell in cells], axis=1, join="inner")
    complete = all(cell.complete for cell in cells)
    bits = _image_values(cells) if complete and len(seeds) == 1 else None
    if bits is not None:
        return FactorialValues(factors, signs, bits, complete, bits.shape[1])
    return FactorialValues(factors, signs, seeds.to_numpy(dtype=float).T, complete)


def _image_values(cells: list[Replicates]) -> NDArray[np.float64] | None:
    """Return 100 for each correct image, shape (cells, images); None without these records."""
    try:
        bits = reported_bits(pd.concat([cell.trials for cell in cells]))
    except UnreadableError:
        return None
    return bits.astype(np.float64) * 100 if len(bits) == len(cells) else None


def sweep_effects(frames: Frames, ablation: Ablation) -> list[FactorialEffect]:
    """Return the effects of a factorial sweep; estimates are NaN while a run is missing.

    Raises:
        NotSweptError: the sweep is not on record.
        ValueError: the cells are no factorial design.
    """
    cells = factorial_values(frames, ablation)
    effects = factorial_effects(cells.factors, cells.signs, np.nan_to_num(cells.values))
    if not cells.complete:
        return [FactorialEffect(effect.names, INCOMPLETE_DESIGN) for effect in effects]
    if cells.images:  # the replicates are images, too many to show
        return [effect._replace(values=()) for effect in effects]
    return effects
