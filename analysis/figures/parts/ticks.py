"""Locators of ticks at round numbers, and the columns of a grid of panels."""

import math

from matplotlib.ticker import MaxNLocator

ROUND_STEPS, WHOLE_STEPS = (1, 2, 2.5, 5, 10), (1, 2, 5, 10)  # times a power of ten


def number_ticks(intervals: int) -> MaxNLocator:
    """Return a locator of round numbers, at most so many intervals apart."""
    return MaxNLocator(intervals, steps=ROUND_STEPS)


def count_ticks(intervals: int) -> MaxNLocator:
    """Return a locator of round whole numbers, for epochs and trials."""
    return MaxNLocator(intervals, integer=True, min_n_ticks=1, steps=WHOLE_STEPS)


def balanced_columns(panels: int, most: int) -> int:
    """Return the columns of a grid whose rows are as equally full as possible, at most `most`."""
    return math.ceil(panels / math.ceil(panels / most))
