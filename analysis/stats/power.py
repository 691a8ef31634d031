"""How many seeds a difference needs before it can be told from zero."""

import math

from scipy.special import ncfdtr, stdtrit

from clip_hparam.analysis.stats.intervals import CONFIDENCE_LEVEL

TARGET_POWER, MAX_SEEDS = 0.8, 100_000


def power(spread: float, difference: float, seeds: int, level: float = CONFIDENCE_LEVEL) -> float:
    """The chance that a two-sided paired t test over `seeds` finds a true `difference`.

    `spread` is the standard deviation of the paired differences, in the same unit.
    """
    shift = abs(difference) / spread * math.sqrt(seeds)
    edge = float(stdtrit(seeds - 1, 0.5 + level / 2))
    return float(1 - ncfdtr(1, seeds - 1, shift**2, edge**2))  # t squared is F


def seeds_needed(
    spread: float, difference: float, wanted: float = TARGET_POWER, level: float = CONFIDENCE_LEVEL
) -> int | None:
    """The fewest seeds that reach the wanted power; None if it is more than 100,000 or unknown.

    Raises ValueError for a difference of 0, which no number of seeds resolves.
    """
    if difference == 0:
        raise ValueError("a difference of 0 cannot be resolved: name the least that matters")
    if not spread > 0:
        return None
    few, many = 1, 2
    while power(spread, difference, many, level) < wanted:
        few, many = many, 2 * many
        if many > MAX_SEEDS:
            return None
    while many - few > 1:
        middle = (few + many) // 2
        enough = power(spread, difference, middle, level) >= wanted
        few, many = (few, middle) if enough else (middle, many)
    return many
