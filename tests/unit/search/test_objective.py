"""The learning curve that a pruner compares: the epoch that would be selected so far."""

from collections.abc import Mapping
from typing import Any

import pytest

from clip_hparam.search.objective import parse_objective


def row(epoch: int, accuracy: float, loss: float, weights: str = "raw") -> Mapping[str, Any]:
    return {
        "epoch": epoch,
        f"selection_acc1.{weights}": accuracy,
        f"selection_loss.{weights}": loss,
        f"selection_acc5.{weights}": 100.0 - epoch,
    }


ROWS = [row(0, 80, 0.5), row(1, 90, 0.9), row(2, 85, 0.1), row(3, 90, 0.9), row(4, 90, 0.8)]


@pytest.mark.parametrize(
    ("objective", "values"),
    [
        ("selection_acc1", [80, 90, 90, 90, 90]),
        ("selection_loss", [0.5, 0.9, 0.9, 0.9, 0.8]),
        ("selection_acc5", [100, 99, 99, 99, 96]),  # of equal epochs the earlier one
    ],
)
def test_curve_has_the_value_of_the_epoch_selected_so_far(
    objective: str, values: list[float]
) -> None:
    curve = parse_objective(objective, None).curve(ROWS)
    assert curve == dict(zip(range(1, 6), values, strict=True))


def test_curve_of_a_trial_with_an_average_is_that_of_the_average() -> None:
    rows = [{**row(0, 80, 0.5, "raw"), **row(0, 20, 2.0, "ema")}]
    assert parse_objective("selection_acc1", None).curve(rows) == {1: 20.0}
    assert parse_objective("selection_acc1", None).curve([]) == {}
