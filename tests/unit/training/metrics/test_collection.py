"""Predictions of batches are those of all logits at once."""

import numpy as np
import torch
import torch.nn.functional as F

from clip_hparam.training.metrics.collection import prediction_rows, to_predictions
from clip_hparam.training.metrics.predictions import Predictions


def test_predictions_are_those_of_the_softmax(
    predictions: Predictions, logits: torch.Tensor, labels: torch.Tensor
) -> None:
    probabilities = logits.softmax(1)
    top = probabilities.topk(5)
    np.testing.assert_array_equal(predictions.labels, labels.numpy())
    np.testing.assert_array_equal(predictions.top_classes, top.indices.numpy())
    np.testing.assert_allclose(predictions.confidence, top.values[:, 0].numpy(), rtol=1e-5)
    np.testing.assert_array_equal(predictions.correct, (logits.argmax(1) == labels).numpy())
    losses = F.cross_entropy(logits, labels, reduction="none")
    np.testing.assert_allclose(predictions.losses, losses.numpy(), rtol=1e-5)
    tempered = F.cross_entropy(logits / 2, labels, reduction="none")
    np.testing.assert_allclose(predictions.tempered_losses, tempered.numpy(), rtol=1e-5)


def test_a_class_that_is_not_allowed_has_probability_zero() -> None:
    logits = torch.tensor([[5.0, 0.0, -torch.inf]])
    one = to_predictions([prediction_rows(logits, torch.tensor([0]), 1.0)], 3, 1.0)
    assert one.top_probabilities[0, 2] == 0
    assert np.isfinite([one.losses[0], one.brier_scores[0], one.tempered_losses[0]]).all()
