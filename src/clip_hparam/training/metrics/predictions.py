"""Predictions of a model for a set of labelled images, the input of every metric."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip_hparam.data.dataset import Labels

Floats = NDArray[np.float32]
UNSCALED = 1.0  # temperature that changes no probability


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions for n images, in the order of the set.

    classes: number of classes that the model tells apart.
    labels: shape (n,).
    top_classes: the five most probable classes (or all, of fewer), best first, shape (n, <= 5).
    top_probabilities: their probabilities, float32.
    losses: cross-entropy of each image.
    brier_scores: squared distance from the probabilities of all classes to the label's, in [0, 2].
    tempered_losses: cross-entropy of the logits divided by `temperature`.
    """

    classes: int
    labels: Labels
    top_classes: NDArray[np.int64]
    top_probabilities: Floats
    losses: Floats
    brier_scores: Floats
    tempered_losses: Floats
    temperature: float = UNSCALED

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class of each image."""
        predicted: NDArray[np.int64] = self.top_classes[:, 0]
        return predicted

    @property
    def confidence(self) -> Floats:
        """The probability of the predicted class of each image."""
        confidence: Floats = self.top_probabilities[:, 0]
        return confidence

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the most probable class is the label."""
        correct: NDArray[np.bool_] = self.predicted == self.labels
        return correct
