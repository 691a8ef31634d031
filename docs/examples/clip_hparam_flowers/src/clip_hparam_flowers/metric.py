"""A metric: the mean probability that the model gives to its own prediction."""

from clip_hparam.training.metrics.predictions import Predictions


def mean_confidence(predictions: Predictions) -> float:
    """Return a number of one evaluation set; the columns are eval sets times this name."""
    return float(predictions.top_probabilities[:, 0].mean())
