"""The error of the effects of a two-level screening, and the smallest effect that it can resolve.

With several seeds the error is measured: cells and seeds are a two-way table without replication,
and what a mean per cell and a mean per seed leave over is noise. With one seed it is estimated from
the effects themselves, most of which are noise. Sources: Box, Hunter and Hunter, Statistics for
Experimenters; Lenth 1989.
"""

import math
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit  # scipy.stats takes 0.8 s to import

LENTH_FACTOR = 2.0  # margin of error in pseudo standard errors
STANDARD_ERRORS = 2.0  # an effect of so many standard errors counts as resolved


class Margin(NamedTuple):
    """The size below which an effect is not distinguished from zero, and how it was estimated."""

    points: float
    method: str


def error_margin(effects: Sequence[float], values: NDArray[np.float64]) -> Margin:
    """Return the margin of error of the effects of a screening.

    effects: main effects. values: shape (cells, seeds), no NaN.
    """
    cells, seeds = values.shape
    if seeds < 2:
        return Margin(_lenth_margin(effects), "Lenth's, from the effects of one seed")
    residuals = values - values.mean(1, keepdims=True) - values.mean(0) + values.mean()
    freedom = (cells - 1) * (seeds - 1)
    spread = math.sqrt(float((residuals**2).sum()) / freedom)
    error = 2 * spread / math.sqrt(cells * seeds)
    return Margin(float(stdtrit(freedom, 0.975)) * error, f"95 % t interval over {seeds} seeds")


def counting_resolution(accuracy: float, images: int, trials: int) -> float:
    """Return the smallest effect in points that so many trials can resolve, training noise aside.

    accuracy: of a trial in percent; images: that each trial is evaluated on. It is two standard
    errors of a difference between two halves of the trials whose images are independent. Halves
    that share their images resolve less than this only where training is noisy.
    """
    share = (accuracy / 100 * images + 2) / (images + 4)  # Agresti and Coull: 100 % is no certainty
    return STANDARD_ERRORS * 200 * math.sqrt(share * (1 - share) / (images * trials))


def _lenth_margin(effects: Sequence[float]) -> float:
    sizes = [abs(effect) for effect in effects]
    initial_error = 1.5 * median(sizes)
    inert = [size for size in sizes if size <= 2.5 * initial_error]
    return LENTH_FACTOR * 1.5 * median(inert) if inert else 0.0
