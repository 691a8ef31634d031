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
