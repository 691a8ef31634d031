"""Average the gain of each change over all orders of a ladder (Shapley values).

A ladder adds k changes in one of k! orders. With all 2^k cells of a factorial design the gain in
every order is known. A set of m changes precedes a change in m! (k - m - 1)! of the k! orders.
Source: Shapley 1953.
"""

from collections.abc import Sequence
from itertools import combinations
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clip_hparam.analysis.stats.factorial import Signs
from clip_hparam.analysis.stats.intervals import Estimate, estimate


class OrderedGain(NamedTuple):
    """Gain of one change in points."""

    change: str
    first: Estimate  # added first, to no other change
    last: Estimate  # added last, to all other changes
    mean: Estimate  # over all orders: the Shapley value
    low: float  # least gain in any order, mean over seeds
    high: float  # greatest gain in any order, mean over seeds


def is_full_factorial(factors: Sequence[str], signs: Signs) -> bool:
    """Return whether every combination of at least two factors has a cell."""
    return len(factors) > 1 and len(np.unique(signs, axis=0)) == 2 ** len(factors)


def ordered_gains(
    factors: Sequence[str], signs: Signs, values: NDArray[np.float64]
) -> list[OrderedGain]:
    """Return the gain of each factor in a full design.

    values: shape (cells, seeds), no NaN.
    """
    rows = {frozenset(map(int, np.flatnonzero(cell > 0))): row for row, cell in enumerate(signs)}
    return [_ordered_gain(name, factor, rows, values) for factor, name in enumerate(factors)]


def _ordered_gain(
    name: str, factor: int, rows: dict[frozenset[int], int], values: NDArray[np.float64]
) -> OrderedGain:
    """Average the gain of a factor; `rows`: the row in `values` of each set of factors."""
    count = max(map(len, rows))
    others = [other for other in range(count) if other != factor]
    steps, weights = [], []
    for size in range(count):
        for preceding in map(frozenset, combinations(others, size)):
            steps.append(values[rows[preceding | {factor}]] - values[rows[preceding]])
            weights.append(factorial(size) * factorial(count - size - 1) / factorial(count))
    means = [step.mean() for step in steps]
    average = np.average(steps, axis=0, weights=weights)
    return OrderedGain(
        name, estimate(steps[0]), estimate(steps[-1]), estimate(average),
        float(min(means)), float(max(means)),
    )  # fmt: skip
