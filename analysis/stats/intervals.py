"""Statistics of few seeds: t intervals, paired differences, Holm's correction.

The t interval has its nominal coverage at any n >= 2 if results are normal over seeds (simulated in
tests/analysis/stats/test_interval_coverage.py).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit  # scipy.stats takes 0.8 s to import

from clip_hparam.design.racing import ROUNDING, Race, boundary, p_value, standard_error

CONFIDENCE_LEVEL = 0.95


class Estimate(NamedTuple):
    """A mean over n seeds with its interval; the ends and p are NaN if `why` gives a reason."""

    mean: float
    low: float
    high: float
    p: float  # two-sided; null hypothesis: the mean is 0
    n: int
    why: str = ""

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def estimate(values: ArrayLike, level: float = CONFIDENCE_LEVEL) -> Estimate:
    """Return the mean and its t interval over seeds.

    Fewer than two values, or equal values (a small test set), have no interval.

    Raises:
        ValueError: a value is NaN.
    """
    sample = np.asarray(values, dtype=float)
    if np.isnan(sample).any():
        raise ValueError("a value is NaN: drop the cell or complete it")
    n = sample.size
    mean = float(sample.mean()) if n else math.nan
    error = float(sample.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    if n < 2 or error <= ROUNDING * abs(mean):
        return Estimate(mean, math.nan, math.nan, math.nan, n, _no_interval_reason(n))
    half = float(stdtrit(n - 1, 0.5 + level / 2)) * error
    p = 2 * float(stdtr(n - 1, -abs(mean) / error))
    return Estimate(mean, mean - half, mean + half, p, n)


def raced_estimate(differences: ArrayLike, race: Race) -> Estimate:
    """Return the estimate of a race: paired differences in the order in which seeds were added.

    The interval covers the truth at all looks together, so that a race may stop when the interval
    excludes zero. Below `race.start` seeds it is the plain t interval.
    """
    plain = estimate(differences)
    if plain.why or plain.n < race.start:
        return plain
    values = np.asarray(differences, dtype=float).tolist()
    half = boundary(race, plain.n) * standard_error(values)
    return plain._replace(low=plain.mean - half, high=plain.mean + half, p=p_value(values, race))


def paired_differences(after: pd.Series, before: pd.Series) -> NDArray[np.float64]:
    """Return differences over the seeds that both cells have (index: seed).

    Runs of one seed share data order and initial weights, so their difference has a lower variance
    than each run.
    """
    if after.index.equals(before.index):  # 3 times as fast as the intersection
        difference: NDArray[np.float64] = after.to_numpy(np.float64) - before.to_numpy(np.float64)
        return difference
    seeds = after.index.intersection(before.index)
    return (after.loc[seeds] - before.loc[seeds]).to_numpy(dtype=np.float64)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted by Holm's step-down method, which controls the family-wise error.

    NaN stays NaN and is not counted in the family.
    """
    p = np.asarray(p_values, dtype=float)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    stepped = p[order] * np.arange(len(order), 0, -1)
    adjusted = np.full(p.shape, math.nan)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return [float(value) for value in adjusted]


def _no_interval_reason(n: int) -> str:
    if n == 0:
        return "no seed in common"
    return "one seed: no interval" if n == 1 else f"all {n} seeds alike: no interval"
