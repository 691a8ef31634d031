"""Collect predictions batch by batch on the device, in memory that does not grow with classes."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from clip_hparam.training.metrics.predictions import Predictions

TOP_CLASSES = 5
Rows = tuple[Tensor, ...]
"""Labels, top classes and probabilities, losses, Brier scores, tempered losses of a batch."""


def prediction_rows(logits: Tensor, labels: Tensor, temperature: float) -> Rows:
    """Return the rows of a batch on its device. logits: float32, shape (b, classes)."""
    log_probabilities = F.log_softmax(logits, dim=1)
    probabilities = log_probabilities.exp()
    top = probabilities.topk(min(TOP_CLASSES, logits.shape[1]))
    losses = F.nll_loss(log_probabilities, labels, reduction="none")
    of_label = probabilities.gather(1, labels[:, None])[:, 0]
    brier = (probabilities.square().sum(dim=1) - 2 * of_label + 1).clamp(min=0)
    tempered = F.cross_entropy(logits / temperature, labels, reduction="none")
    return labels, top.indices, top.values, losses, brier, tempered


def to_predictions(parts: Sequence[Rows], classes: int, temperature: float) -> Predictions:
    """Return the predictions of all batches, in their order, from rows on the CPU."""
    labels, top, confidences, losses, brier, tempered = (
        torch.cat(column).numpy() for column in zip(*parts, strict=True)
    )
    return Predictions(classes, labels, top, confidences, losses, brier, tempered, temperature)
