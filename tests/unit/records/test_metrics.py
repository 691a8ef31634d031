"""The reported numbers of a trial."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.records import metrics
from clip_hparam.records.record import Record

RESULT = {
    "selected_weights": "ema",
    "metrics": {"test_acc1.ema.selected": 90, "test_acc1.raw.selected": 80},
    "cost": {"seconds": 12},
}


def test_reported_value_is_of_the_selected_weights() -> None:
    assert metrics.reported_value(RESULT) == 90.0
    assert metrics.reported_value({**RESULT, "selected_weights": "raw"}) == 80.0
    assert metrics.reported_value(RESULT, "cost.seconds") == 12.0
    assert metrics.mean_reported_value([RESULT, {**RESULT, "selected_weights": "raw"}]) == 85.0


def test_epoch_rows_report_ema_where_there_is_ema() -> None:
    raw = {"selection_acc1.raw": 50.0, "selection_loss.raw": 1.0}
    both = {**raw, "selection_acc1.ema": 60.0, "selection_loss.ema": 2.0}
    assert (metrics.reported_weights(raw), metrics.reported_weights(both)) == ("raw", "ema")
    assert (metrics.epoch_accuracy(raw), metrics.epoch_accuracy(both)) == (50.0, 60.0)
    assert metrics.epoch_accuracy({}) is None
    assert (metrics.selection_key(raw), metrics.selection_key(both)) == ((50, -1), (60, -2))


@pytest.mark.parametrize(
    ("name", "minimized"),
    [
        *(("test_acc1.raw", False), ("selection_shift_loss", True)),
        *(("cost.seconds", True), ("cost.img_per_s", False)),
        *(("eval.sketch.loss.ema.last", True), ("test_ece.raw.last", True), ("test_brier", True)),
        *(("test_tempered_loss", True), ("test_macro_f1", False), ("test_balanced_acc", False)),
    ],
)
def test_losses_and_costs_are_minimized(name: str, minimized: bool) -> None:
    assert metrics.is_minimized(name) is minimized


def test_seconds_of_an_unfinished_trial_are_those_of_its_epochs(tmp_path: Path) -> None:
    record = Record(tmp_path, "abc123")
    record.write_rows([{"seconds": 1.5}, {"seconds": 2.0}])
    assert metrics.seconds_spent(record) == 3.5
    record.write_result(RESULT)
    assert metrics.seconds_spent(record) == 12.0


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_reader_keeps_each_accuracy_that_a_writer_computes(counts: tuple[int, int]) -> None:
    accuracy = metrics.accuracy_percent(*counts)
    assert metrics.as_percentage(accuracy) == accuracy


@pytest.mark.parametrize(
    ("value", "read"),
    [(100.00000000000001, 100.0), (-1e-14, 0.0), (100.001, None), (-0.1, None), (math.inf, None)],
)
def test_only_a_rounding_error_may_leave_the_percentages(value: float, read: float | None) -> None:
    assert metrics.as_percentage(value) == read


@pytest.mark.parametrize(
    ("name", "percentage"),
    [
        *((f"{split}_{acc}.raw.last", True) for split in ("test", "selection_shift")
          for acc in ("acc1", "acc5")),
        *(("test_acc1.zero_shot", True), ("eval.sketch.acc1.ema.selected", True)),
        *(("test_loss.raw.last", False), ("cost.seconds", False), ("accumulate", False)),
    ],
)  # fmt: skip
def test_percentages_are_known_by_their_names(name: str, percentage: bool) -> None:
    assert metrics.is_percentage(name) is percentage
