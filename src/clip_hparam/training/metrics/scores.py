"""The metrics of the package: calibration, and accuracy by class."""

import numpy as np
from numpy.typing import NDArray

from clip_hparam.training.metrics.predictions import Predictions

CALIBRATION_BINS = 15


def calibration_error(predictions: Predictions) -> float:
    """Return the expected calibration error of 15 bins of equal width, in [0, 1].

    Source: Guo et al., "On calibration of modern neural networks", 2017.
    """
    confidence = predictions.confidence.astype(np.float64)
    if not np.isfinite(confidence).all():
        return float("nan")
    bins = np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(np.int64) - 1, 0, None)
    gap = np.bincount(bins, predictions.correct - confidence)
    return float(np.abs(gap).sum() / max(len(predictions), 1))


def brier_score(predictions: Predictions) -> float:
    """Return the mean squared distance of the probabilities to the label's, in [0, 2]."""
    return float(predictions.brier_scores.astype(np.float64).mean())


def tempered_loss(predictions: Predictions) -> float:
    """Return the cross-entropy after temperature scaling on the selection set."""
    return float(predictions.tempered_losses.astype(np.float64).mean())


def class_accuracy(predictions: Predictions) -> NDArray[np.float64]:
    """Return the accuracy of each class in percent, shape (classes,); NaN for one without images.

    It is also called recall.
    """
    images = np.bincount(predictions.labels, minlength=predictions.classes)
    hits = np.bincount(predictions.labels[predictions.correct], minlength=predictions.classes)
    with np.errstate(invalid="ignore"):
        accuracy: NDArray[np.float64] = 100.0 * hits / images
    return accuracy


def balanced_accuracy(predictions: Predictions) -> float:
    """Return the mean accuracy of the classes that have images, in percent."""
    return float(np.nanmean(class_accuracy(predictions)))


def macro_f1(predictions: Predictions) -> float:
    """Return the mean F1 score of the classes that are labels or predicted, in percent."""
    labels, predicted = (
        np.bincount(column, minlength=predictions.classes)
        for column in (predictions.labels, predictions.predicted)
    )
    hits = np.bincount(predictions.labels[predictions.correct], minlength=predictions.classes)
    counted = labels + predicted > 0
    return float(100.0 * np.mean(2 * hits[counted] / (labels + predicted)[counted]))
