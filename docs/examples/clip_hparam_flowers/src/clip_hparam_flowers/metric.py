"""A metric: how sure a model is on average."""

from clip_hparam.training.metrics.predictions import Predictions


def mean_confidence(predictions: Predictions) -> float:
    """Return the mean probability of the predicted class, in [0, 1]."""
    return float(predictions.confidence.mean())
