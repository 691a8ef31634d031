"""Main effects and two-way interactions of two-level designs, with their aliases.

For each seed, an effect is the mean of the cells where the factor is on (+) less the mean of the
cells where it is off (-). The interval of an effect is the t interval over seeds, so seeds stay
paired. The interaction of A and B is computed in the same way from the product of their signs. It
is half of the difference between the effect of A with B on and with B off.

Source: Box, Hunter and Hunter, Statistics for Experimenters.
"""

from collections.abc import Collection, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clip_hparam.analysis.stats.intervals import Estimate, estimate

Signs = NDArray[np.int64]


class FactorialEffect(NamedTuple):
    """An effect, or several that the design cannot separate (aliases)."""

    names: tuple[str, ...]  # aliases; "-a:b" has the opposite sign
    estimate: Estimate
    values: tuple[float, ...] = ()  # the effect in each seed, the replicates of the estimate

    @property
    def label(self) -> str:
        """Names of the aliases, "a = -b:c"."""
        return " = ".join(self.names)


def signs_of(labels: Sequence[str]) -> tuple[list[str], Signs]:
    """Return the factors and their signs in each cell, shape (cells, factors), 1 on and -1 off.

    labels: the factors that are on in each cell, joined by "+", or "none".
    """
    on = [[] if label == "none" else label.split("+") for label in labels]
    factors = list(dict.fromkeys(factor for cell in on for factor in cell))
    signs = [[1 if factor in cell else -1 for factor in factors] for cell in on]
    return factors, np.array(signs).reshape(len(on), len(factors))


def factorial_effects(
    factors: Sequence[str], signs: Signs, values: NDArray[np.float64]
) -> list[FactorialEffect]:
    """Return main effects, then interactions. Effects that are aliased with the mean are left out.

    values: shape (cells, seeds), no NaN.

    Raises:
        ValueError: the design is unbalanced or not orthogonal, so effects would mix.
    """
    aliases: dict[tuple[int, ...], list[str]] = {}  # column of signs -> names
    for name, column in _contrasts(factors, signs):
        if abs(column.sum()) == len(column):
            continue
        if column.sum() != 0:
            raise ValueError(
                f"{name} is not on in half of the cells: effects need a balanced design"
            )
        plus, minus = tuple(column.tolist()), tuple((-column).tolist())
        key, sign = (minus, "-") if minus in aliases else (plus, "")
        aliases.setdefault(key, []).append(sign + name)
    _check_orthogonal(aliases)
    contrasts = [_contrast(np.array(column), values) for column in aliases]
    return [
        FactorialEffect(tuple(names), estimate(contrast), tuple(contrast.tolist()))
        for contrast, names in zip(contrasts, aliases.values(), strict=True)
    ]


def _contrasts(factors: Sequence[str], signs: Signs) -> list[tuple[str, Signs]]:
    main = [(name, signs[:, column]) for column, name in enumerate(factors)]
    pairs = [(f"{a}:{b}", left * right) for (a, left), (b, right) in combinations(main, 2)]
    return main + pairs


def _check_orthogonal(columns_of_signs: Collection[tuple[int, ...]]) -> None:
    """Raise ValueError unless the columns are orthogonal, as in full and regular fractions."""
    columns = np.array(list(columns_of_signs)).reshape(len(columns_of_signs), -1)
    product = columns @ columns.T
    if np.any(product - np.diag(np.diag(product))):
        raise ValueError(
            "the cells are neither a full nor a regular fractional design: effects would mix"
        )


def _contrast(column: Signs, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the effect for each seed, shape (seeds,)."""
    difference: NDArray[np.float64] = values[column > 0].mean(axis=0) - values[column < 0].mean(
        axis=0
    )
    return difference
