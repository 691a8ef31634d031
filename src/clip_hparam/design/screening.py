"""Known interactions of knobs, and the order of steps in which a fraction shows one of them.

The best lr depends on layer_decay (a lower decay lowers the rate of early blocks), on batch_size
and on epochs. The main effect of such a knob can be zero while the pair decides the result.
"""

from collections.abc import Sequence
from itertools import combinations

Column = tuple[int, ...]

ALWAYS_SEARCHED = ("lr",)
INTERACTING_KNOBS = (("lr", "layer_decay"), ("lr", "batch_size"), ("lr", "epochs"))


def interactions_among(knobs: Sequence[str]) -> list[tuple[str, str]]:
    """Return the known interactions whose knobs are both given."""
    return [pair for pair in INTERACTING_KNOBS if set(pair) <= set(knobs)]


def order_steps(labels: Sequence[str], rows: Sequence[Sequence[bool]]) -> list[str]:
    """Return the labels in an order that keeps their first known interaction separate.

    rows: one per cell of the fraction, saying of each step whether it is on. The pair gets the two
    columns whose product equals no main effect, if possible, and as few other products as possible.
    """
    pairs = interactions_among(labels)
    if not pairs:
        return list(labels)
    signs = [tuple(1 if on else -1 for on in column) for column in zip(*rows, strict=True)]
    first, second = min(combinations(range(len(labels)), 2), key=lambda at: _aliases(signs, at))
    others = iter(label for label in labels if label not in pairs[0])
    placed = {first: pairs[0][0], second: pairs[0][1]}
    return [placed.get(position) or next(others) for position in range(len(labels))]


def _aliases(signs: Sequence[Column], pair: tuple[int, int]) -> tuple[int, int]:
    """Return how many main effects and how many other interactions a pair is aliased with."""
    product = _product(signs, *pair)
    others = [_product(signs, *at) for at in combinations(range(len(signs)), 2) if at != pair]
    return [_unsigned(column) for column in signs].count(product), others.count(product)


def _product(signs: Sequence[Column], a: int, b: int) -> Column:
    return _unsigned(tuple(x * y for x, y in zip(signs[a], signs[b], strict=True)))


def _unsigned(column: Column) -> Column:
    """Return the column or its negative, whichever begins with 1: both are one contrast."""
    return column if column[0] > 0 else tuple(-sign for sign in column)
