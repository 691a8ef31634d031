"""Rank derived results by the selection set, never by the test set."""

from clip_hparam.records.derived import DerivedResult


def selection_rank(result: DerivedResult) -> tuple[float, float]:
    """Return the key by which the best result is the largest: accuracy, then a lower loss."""
    return selection_value(result, "acc1"), -selection_value(result, "loss")


def selection_value(result: DerivedResult, metric: str) -> float:
    """Return a metric of the reported weights on the selection set."""
    name = f"selection_{metric}.{result.selected_weights}"
    (value,) = (value for column, value in result.metrics.items() if column.startswith(f"{name}."))
    return float("nan") if value is None else value
