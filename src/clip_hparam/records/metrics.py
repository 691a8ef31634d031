"""The reported numbers of a trial: the weights and the epoch that count, and the seconds spent.

Trials report the EMA weights, or the raw weights where there is no EMA, at the epoch that is
selected by accuracy on the selection set.
"""

import math
import re
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

from clip_hparam.records.record import Record

ROUNDING_ERROR = 1e-9  # records of 2026-11-25 and before hold accuracies of 100.00000000000001
PERCENTAGE_NAME = re.compile(r"(^|[_.])(acc[15]?|macro_f1)([_.]|$)")
MINIMIZED_NAME = re.compile(r"_loss|(^|[_.])(loss|ece|brier)([_.]|$)")


def accuracy_percent(correct: int, total: int) -> float:
    """Return an accuracy in percent, between 0 and 100; exactly 100 only if all are correct.

    100 / total * correct exceeds 100 for 15 of the set sizes up to 200, such as 11.
    """
    return 100.0 * correct / total


def is_percentage(name: str) -> bool:
    """Return whether a metric column holds an accuracy: test_acc1.raw.last, eval.sketch.acc5.ema.

    Writers compute these columns with `accuracy_percent`; readers check them with `as_percentage`.
    """
    return PERCENTAGE_NAME.search(name) is not None


def as_percentage(value: float) -> float | None:
    """Return the value within 0 to 100, NaN for NaN; None if it is outside by more than rounding.

    `accuracy_percent` is returned unchanged.
    """
    if math.isnan(value):
        return value
    if not -ROUNDING_ERROR <= value <= 100 + ROUNDING_ERROR:
        return None
    return min(max(float(value), 0.0), 100.0)


def reported_value(result: Mapping[str, Any], name: str = "test_acc1") -> float:
    """Return a metric of a sealed result at the selected epoch, of the reported weights.

    name: "test_acc1", "selection_loss", ... (accuracies in percent), or "cost.seconds", ...
    """
    if name.startswith("cost."):
        return float(result["cost"][name.removeprefix("cost.")])
    return float(result["metrics"][f"{name}.{result['selected_weights']}.selected"])


def mean_reported_value(results: Iterable[Mapping[str, Any]], name: str = "test_acc1") -> float:
    """Return the mean of `reported_value` over sealed results, such as the seeds of a cell."""
    return fmean(reported_value(result, name) for result in results)


def reported_weights(row: Mapping[str, Any]) -> str:
    """Return the weights, "ema" or "raw", that a trial with this epoch row reports."""
    return "ema" if "selection_acc1.ema" in row else "raw"


def epoch_accuracy(row: Mapping[str, Any]) -> float | None:
    """Return an epoch's accuracy on the selection set in percent; None if it was not measured."""
    accuracy: float | None = row.get(f"selection_acc1.{reported_weights(row)}")
    return accuracy


def selection_key(row: Mapping[str, Any]) -> tuple[float, float]:
    """Return the key by which epochs are selected: the largest wins, ties go to the earlier epoch.

    A higher accuracy on the selection set comes first, then a lower loss.
    """
    weights = reported_weights(row)
    return row[f"selection_acc1.{weights}"], -row[f"selection_loss.{weights}"]


def is_minimized(name: str) -> bool:
    """Return whether a lower value of a metric or cost is the better one."""
    return MINIMIZED_NAME.search(name) is not None or (
        name.startswith("cost.") and name != "cost.img_per_s"
    )


def seconds_spent(record: Record) -> float:
    """Return the seconds that a trial has run so far, in any state."""
    result = record.result()
    if result:
        return float(result["cost"]["seconds"])
    return float(sum(row["seconds"] for row in record.rows()))
