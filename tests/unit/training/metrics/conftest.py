"""Predictions of random logits."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from clip_hparam.training.metrics.collection import prediction_rows, to_predictions
from clip_hparam.training.metrics.predictions import Predictions

Predict = Callable[..., Predictions]


@pytest.fixture(scope="session")
def logits() -> torch.Tensor:
    """Return the logits of 200 images and 7 classes; class 6 is never the best."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(200, 7, generator=generator)
    logits[:, 6] -= 20
    return logits


@pytest.fixture(scope="session")
def labels() -> torch.Tensor:
    """Return labels of the classes 0 to 4: 5 and 6 have no image."""
    return torch.from_numpy(np.random.default_rng(0).integers(0, 5, 200))


@pytest.fixture(scope="session")
def predictions(logits: torch.Tensor, labels: torch.Tensor) -> Predictions:
    parts = [
        prediction_rows(logits[rows], labels[rows], 2.0) for rows in torch.arange(200).split(64)
    ]
    return to_predictions(parts, 7, 2.0)
