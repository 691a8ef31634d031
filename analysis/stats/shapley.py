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
    """In points. `first`, `last` and `mean` over seeds; `low` and `high` are means over seeds of
    the least and the greatest step in any order.
    """

    change: str
    first: Estimate
    last: Estimate
    mean: Estimate
    low: float
    high: float


def is_full_factorial(factors: Sequence[str], signs: Signs) -> bool:
    """Whether every combination has a cell."""
    return len(factors) > 1 and len(np.unique(signs, axis=0)) == 2 ** len(factors)


def ordered_gains(
    factors: Sequence[str], signs: Signs, values: NDArray[np.float64]
) -> list[OrderedGain]:
    """Of a full design; `values` has shape (cells, seeds), none missing."""
    row = {frozenset(map(int, np.flatnonzero(cell > 0))): at for at, cell in enumerate(signs)}
    return [_ordered_gain(factors[at], at, len(factors), row, values) for at in range(len(factors))]


def _ordered_gain(
    name: str, at: int, count: int, row: dict[frozenset[int], int], values: NDArray[np.float64]
) -> OrderedGain:
    others = [other for other in range(count) if other != at]
    steps, shares = [], []
    for size in range(count):
        for chosen in combinations(others, size):
            before = frozenset(chosen)
            steps.append(values[row[before | {at}]] - values[row[before]])
            shares.append(factorial(size) * factorial(count - size - 1) / factorial(count))
    means = [step.mean() for step in steps]
    average = np.average(steps, axis=0, weights=shares)
    return OrderedGain(
        name, estimate(steps[0]), estimate(steps[-1]), estimate(average),
        float(min(means)), float(max(means)),
    )  # fmt: skip
