"""The measures of robustness of trials: accuracies on groups of sets, and the calibration error."""

import math
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.beyond_test.extra_sets import ExtraSets, result_sets
from clip_hparam.records.derived import DerivedResult

REPORTED = "reported"


class Measures(NamedTuple):
    """Accuracies in percent and a calibration error in [0, 1]; NaN where one was not measured.

    outside: mean over the sets out of distribution. known_before, known_after: accuracy of CLIP's
    own zero-shot classifier, before and after fine-tuning.
    """

    test: float
    outside: float
    known_before: float
    known_after: float
    ece: float


def trial_measures(trials: pd.DataFrame, sets: ExtraSets, weights: str = REPORTED) -> pd.DataFrame:
    """Return the columns of Measures for each trial, at its selected epoch.

    trials: rows of a frame, or of `results_frame`.
    weights: "raw", "ema", or REPORTED, those that each trial reports.
    """
    columns = {
        "test": metric_of(trials, "test_acc1", weights),
        "outside": _mean(trials, [f"{name}acc1" for name in sets.outside], weights),
        "known_before": _mean_of_columns(trials, [f"{name}acc1.zero_shot" for name in sets.known]),
        "known_after": _mean(trials, [f"{name}acc1" for name in sets.known], weights),
        "ece": metric_of(trials, "test_ece", weights),
    }
    return pd.DataFrame(columns, columns=list(Measures._fields), index=trials.index)


def result_measures(result: DerivedResult) -> Measures:
    """Return the measures of a result of stored weights."""
    when = result.facts.get("when", "selected")
    named = {
        f"{name.removesuffix(f'.{when}')}.selected" if name.endswith(f".{when}") else name: value
        for name, value in result.metrics.items()
    }
    frame = pd.DataFrame([{**named, "selected_weights": result.selected_weights}])
    row = trial_measures(frame, result_sets(result.facts, result.metrics)).iloc[0]
    return Measures(**{name: float(row[name]) for name in Measures._fields})


def metric_of(trials: pd.DataFrame, metric: str, weights: str = REPORTED) -> pd.Series:
    """Return a metric of each trial at its selected epoch; NaN where it is missing."""
    values = pd.Series(math.nan, index=trials.index)
    for name in ("raw", "ema"):
        column = f"{metric}.{name}.selected"
        if column in trials and weights in (name, REPORTED):
            chosen = trials["selected_weights"] == name if weights == REPORTED else True
            values = values.mask(pd.Series(chosen, index=trials.index), trials[column])
    return values.astype(float)


def _mean(trials: pd.DataFrame, metrics: list[str], weights: str) -> pd.Series:
    """Return the mean over metrics of each trial; NaN where one is missing, or there is none."""
    values = pd.DataFrame({name: metric_of(trials, name, weights) for name in metrics})
    return values.reindex(trials.index).mean(axis=1, skipna=False)


def _mean_of_columns(trials: pd.DataFrame, columns: list[str]) -> pd.Series:
    return trials.reindex(columns=columns).astype(float).mean(axis=1, skipna=False)
