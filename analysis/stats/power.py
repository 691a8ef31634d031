"""Number of seeds that a paired t test needs to detect a difference."""

import math

from scipy.special import ncfdtr, stdtrit

from clip_hparam.analysis.stats.intervals import CONFIDENCE_LEVEL

TARGET_POWER, MAX_SEEDS = 0.8, 100_000


def power(spread: float, difference: float, seeds: int, level: float = CONFIDENCE_LEVEL) -> float:
    """Return the probability that a two-sided paired t test detects a true `difference`.

    spread: standard deviation of the paired differences, in the unit of `difference`.
    """
    shift = abs(difference) / spread * math.sqrt(seeds)
    edge = float(stdtrit(seeds - 1, 0.5 + level / 2))
    return float(1 - ncfdtr(1, seeds - 1, shift**2, edge**2))  # t squared has an F distribution


def seeds_needed(
    spread: float, difference: float, wanted: float = TARGET_POWER, level: float = CONFIDENCE_LEVEL
) -> int | None:
    """Return the least number of seeds with the wanted power.

    None if it exceeds MAX_SEEDS, or if `spread` is 0 or NaN.

    Raises:
        ValueError: the difference is 0, which no number of seeds resolves.
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
