"""Expected best result of n trials of a search."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln


def expected_best(values: ArrayLike, n: int, minimize: bool = False) -> float:
    """Return the mean, over all sets of n different trials, of the best value in the set.

    The i-th of N values in ascending order is the best of C(i - 1, n - 1) of the C(N, n) sets. The
    estimate is unbiased, since sets are drawn without replacement. Source: Tang et al. 2020; the
    plug-in estimate of Dodge et al. 2019 draws with replacement and is too low.

    Raises:
        ValueError: n is outside [1, N], or a value is NaN.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    total = len(ordered)
    if not 1 <= n <= total or np.isnan(ordered).any():
        raise ValueError(f"n={n} is outside [1, {total}], the number of trials, or one is missing")
    ascending = -ordered[::-1] if minimize else ordered
    rank = np.arange(n, total + 1)  # a value of lower rank is the best of no set
    weight = np.exp(_log_choose(rank - 1, n - 1) - _log_choose(np.array(total), n))
    best = float(np.sum(weight * ascending[n - 1 :]) / weight.sum())
    return -best if minimize else best


def _log_choose(n: ArrayLike, k: int) -> np.ndarray:
    n = np.asarray(n, dtype=float)
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
