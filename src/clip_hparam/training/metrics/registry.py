"""Registry of the metrics that each trial reports in addition to accuracy and loss.

A metric is a function from Predictions to a number. Another installed package adds its own by the
entry point group `clip_hparam.metrics`; the name of the entry point is the name of the metric:

    [options.entry_points]
    clip_hparam.metrics =
        median_confidence = my_package.metrics:median_confidence
"""

import logging
import re
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from clip_hparam.config.entry_points import load_entry_points
from clip_hparam.training.metrics.predictions import Predictions
from clip_hparam.training.metrics.scores import (
    balanced_accuracy,
    brier_score,
    calibration_error,
    macro_f1,
    tempered_loss,
)

logger = logging.getLogger(__name__)
Metric = Callable[[Predictions], float]
GROUP = "clip_hparam.metrics"
NAME = re.compile(r"[a-z][a-z0-9_]*")
ACCURACY_METRICS = ("acc1", "acc5", "loss")
"""Metrics of the evaluation itself, which every epoch has; `loss` is the NLL."""
METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "ece": calibration_error,
        "brier": brier_score,
        "tempered_loss": tempered_loss,
        "balanced_acc": balanced_accuracy,
        "macro_f1": macro_f1,
    }
)
"""Metrics of the package by the name in their columns."""


def metric_values(predictions: Predictions) -> dict[str, float]:
    """Return the value of every metric by its name; NaN, with a warning, for one that fails."""
    return {name: _value(name, metric, predictions) for name, metric in all_metrics().items()}


@cache
def all_metrics() -> dict[str, Metric]:
    """Return the metrics of the package and those of installed packages, by name.

    One that cannot be used is left out with a warning, as a trial must not fail at its end.
    """
    taken = frozenset({*METRICS, *ACCURACY_METRICS})
    found = load_entry_points(GROUP, callable, "a function from Predictions to a number", taken)
    wrong = sorted(name for name in found if not NAME.fullmatch(name))
    for name in wrong:
        logger.warning("metric %s is not used: name it in lower_case", name)
    return {**METRICS, **{name: metric for name, metric in found.items() if name not in wrong}}


def _value(name: str, metric: Metric, predictions: Predictions) -> float:
    try:
        return float(metric(predictions))
    except Exception as error:
        if name in METRICS:
            raise
        _warn(name, error)
        return float("nan")


def _warn(name: str, error: Exception) -> None:
    logger.warning("metric %s is left out: %s: %s", name, type(error).__name__, error)
