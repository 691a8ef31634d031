"""Main effects and two-way interactions of on/off designs, with aliases named.

For each seed an effect is the mean of the cells where its sign is + less the mean of the others;
its interval is the t interval of that number over seeds, so seeds stay paired. The sign of an
interaction is the product of its factors' signs: half of what one does to the effect of the other.
Source: Box, Hunter and Hunter, Statistics for Experimenters.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clip_hparam.analysis.stats.intervals import Estimate, estimate

Signs = NDArray[np.int64]


class FactorialEffect(NamedTuple):
    """`names` has more than one where the design cannot tell effects apart: "-a:b" is a mirror."""

    names: tuple[str, ...]
    estimate: Estimate

    @property
    def label(self) -> str:
        return " = ".join(self.names)


def signs_of(labels: Sequence[str]) -> tuple[list[str], Signs]:
    """The factors and the sign of each in each cell, shape (cells, factors).

    A cell's label is the factors that are on in it, joined by +, or none: as sweeps name them.
    """
    on = [[] if label == "none" else label.split("+") for label in labels]
    factors = list(dict.fromkeys(factor for cell in on for factor in cell))
    signs = [[1 if factor in cell else -1 for factor in factors] for cell in on]
    return factors, np.array(signs).reshape(len(on), len(factors))


def factorial_effects(
    factors: Sequence[str], signs: Signs, values: NDArray[np.float64]
) -> list[FactorialEffect]:
    """Main effects, then interactions; `values` has shape (cells, seeds), none missing.

    An effect that no cell tells from the mean is left out. Raises ValueError for an unbalanced
    design, whose means would mix effects.
    """
    found: dict[tuple[int, ...], list[str]] = {}
    for name, column in _contrasts(factors, signs):
        if abs(column.sum()) == len(column):
            continue
        if column.sum() != 0:
            raise ValueError(
                f"{name} is not on in half of the cells: effects need a balanced design"
            )
        plus, minus = tuple(column.tolist()), tuple((-column).tolist())
        key, sign = (minus, "-") if minus in found else (plus, "")
        found.setdefault(key, []).append(sign + name)
    _check_orthogonal(found)
    return [
        FactorialEffect(tuple(names), estimate(_contrast(np.array(column), values)))
        for column, names in found.items()
    ]


def _contrasts(factors: Sequence[str], signs: Signs) -> list[tuple[str, Signs]]:
    main = [(name, signs[:, place]) for place, name in enumerate(factors)]
    both = [(f"{a}:{b}", left * right) for (a, left), (b, right) in combinations(main, 2)]
    return main + both


def _check_orthogonal(found: dict[tuple[int, ...], list[str]]) -> None:
    """Columns are either alike or orthogonal in full and regular fractional designs."""
    columns = np.array(list(found)).reshape(len(found), -1)
    product = columns @ columns.T
    if np.any(product - np.diag(np.diag(product))):
        raise ValueError("the cells are no full or regular fractional design: effects would mix")


def _contrast(column: Signs, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """By seed, shape (seeds,)."""
    difference: NDArray[np.float64] = values[column > 0].mean(axis=0) - values[column < 0].mean(
        axis=0
    )
    return difference
