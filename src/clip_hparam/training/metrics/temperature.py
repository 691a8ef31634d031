"""Temperature scaling: one number that calibrates the probabilities of a trained model.

Source: Guo et al., "On calibration of modern neural networks", 2017.
"""

import math

import torch.nn.functional as F
from torch import Tensor

LOG_RANGE = 5.0  # the temperature is within exp(-5) and exp(5)
MAX_IMAGES = 10_000  # that a temperature is fitted to, evenly spaced: 1 s at 1,000 classes


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature whose division of the logits gives the lowest cross-entropy.

    logits: shape (n, classes), -inf for a class that is not allowed. labels: shape (n,).
    1 if there is no image, or a logit is NaN.
    """
    from scipy.optimize import minimize_scalar  # lazy: scipy.optimize, 0.2 s

    spacing = max(1, -(-len(logits) // MAX_IMAGES))
    logits, labels = logits[::spacing].double(), labels[::spacing]
    if not len(logits) or bool(logits.isnan().any()):
        return 1.0

    def loss(log_temperature: float) -> float:
        return float(F.cross_entropy(logits / math.exp(log_temperature), labels))

    minimum = minimize_scalar(loss, bounds=(-LOG_RANGE, LOG_RANGE), method="bounded")
    return math.exp(float(minimum.x))
