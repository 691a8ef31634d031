"""What a handful of seeds supports: t intervals, paired differences, family-wise correction.

The t interval has its nominal coverage at any n >= 2 if seeds vary normally (simulated in
tests/analysis/stats/test_interval_coverage.py). Where no interval exists, `why` states the reason.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit  # the t distribution; scipy.stats costs 0.8 s to import

from clip_hparam.design.racing import Race, boundary, p_value, standard_error

CONFIDENCE_LEVEL = 0.95


class Estimate(NamedTuple):
    """A mean over n seeds with its interval; the ends and p are NaN where `why` is not empty."""

    mean: float
    low: float
    high: float
    p: float  # two-sided, of the mean being 0: of use where the values are differences
    n: int
    why: str = ""

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def estimate(values: ArrayLike, level: float = CONFIDENCE_LEVEL) -> Estimate:
    """Mean and t interval over seeds. A NaN among the values is the caller's mistake: ValueError.

    Equal values (a coarse test set, few seeds) have no spread to build an interval from.
    """
    sample = np.asarray(values, dtype=float)
    if np.isnan(sample).any():
        raise ValueError("a missing value is not averaged over: drop the cell or complete it")
    n = sample.size
    mean = float(sample.mean()) if n else math.nan
    error = float(sample.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    if n < 2 or error <= 1e-12 * abs(mean):
        return Estimate(mean, math.nan, math.nan, math.nan, n, _no_interval_reason(n))
    half = float(stdtrit(n - 1, 0.5 + level / 2)) * error
    p = 2 * float(stdtr(n - 1, -abs(mean) / error))
    return Estimate(mean, mean - half, mean + half, p, n)


def raced_estimate(differences: ArrayLike, race: Race) -> Estimate:
    """Of paired differences in the order of their seeds, which were added until they decided.

    The interval holds at all looks together, so that it may stop where it excludes zero.
    """
    plain = estimate(differences)
    if plain.why or plain.n < race.start:
        return plain
    values = np.asarray(differences, dtype=float).tolist()
    half = boundary(race, plain.n) * standard_error(values)
    return plain._replace(low=plain.mean - half, high=plain.mean + half, p=p_value(values, race))


def paired_differences(after: pd.Series, before: pd.Series) -> NDArray[np.float64]:
    """Differences by seed, over the seeds that both have (index: seed).

    Cells share data order and initial weights by seed, so the difference of two runs of one seed
    varies less than either does.
    """
    seeds = after.index.intersection(before.index)
    return (after.loc[seeds] - before.loc[seeds]).to_numpy(dtype=np.float64)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p: rejecting those below alpha keeps the family's rate at alpha.

    A NaN is no test: it stays NaN and does not count in the family.
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
