"""Read the reported numbers of a trial from its result and its epoch rows."""

from collections.abc import Mapping
from typing import Any

from clip_hparam.records.record import Record


def reported_value(result: Mapping[str, Any], name: str) -> float:
    if name.startswith("cost."):
        return float(result["cost"][name.removeprefix("cost.")])
    return float(result["metrics"][f"{name}.{result['selected_weights']}.selected"])


def reported_weights(row: Mapping[str, Any]) -> str:
    return "ema" if "selection_acc1.ema" in row else "raw"


def selection_key(row: Mapping[str, Any]) -> tuple[float, float]:
    """As `progress.Progress.add` selects."""
    weights = reported_weights(row)
    return row[f"selection_acc1.{weights}"], -row[f"selection_loss.{weights}"]


def seconds_spent(record: Record) -> float:
    """What a trial has cost, ended or not."""
    result = record.result()
    if result:
        return float(result["cost"]["seconds"])
    return float(sum(row["seconds"] for row in record.rows()))


def reported_accuracy(result: dict[str, Any]) -> float:
    """Test accuracy, percent, of the selected epoch and the weights that are reported."""
    accuracy: float = result["metrics"][f"test_acc1.{result['selected_weights']}.selected"]
    return accuracy


def selection_accuracy(row: Mapping[str, float]) -> float | None:
    """Selection accuracy of an epoch, percent: of the EMA weights where there are any."""
    return row.get("selection_acc1.ema", row.get("selection_acc1.raw"))
