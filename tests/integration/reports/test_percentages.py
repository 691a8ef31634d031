"""Report N0.1: an accuracy of 100 % is read as 100, whatever was rounded when it was written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trial_factory import Ladder

from clip_hparam.analysis.frames.frame import load
from clip_hparam.records.metrics import accuracy_percent


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_accuracy_lies_between_0_and_100(counts: tuple[int, int]) -> None:
    correct, total = counts
    accuracy = accuracy_percent(correct, total)
    assert 0 <= accuracy <= 100
    assert (accuracy == 100) == (correct == total)
    assert accuracy == pytest.approx(100 * correct / total, rel=1e-15)


@pytest.mark.parametrize("total", range(1, 1001))
def test_all_correct_is_exactly_100(total: int) -> None:
    assert accuracy_percent(total, total) == 100.0


def test_old_record_with_a_rounding_error_is_read(ladder: Ladder) -> None:
    record = next(iter(ladder.runs.folder.glob("*/result.json")))
    result = json.loads(record.read_text())
    result["metrics"]["test_acc5.ema.selected"] = 100.00000000000001
    record.write_text(json.dumps(result))
    frames = load(ladder.runs.folder)
    assert frames.problems == []
    trials = frames.trials.set_index("trial_id")
    assert trials.loc[record.parent.name, "test_acc5.ema.selected"] == 100.0


def test_impossible_accuracy_is_still_refused(ladder: Ladder) -> None:
    record = next(iter(ladder.runs.folder.glob("*/result.json")))
    result = json.loads(record.read_text())
    result["metrics"]["test_acc5.ema.selected"] = 100.1
    record.write_text(json.dumps(result))
    (problem,) = load(ladder.runs.folder).problems
    assert "test_acc5.ema.selected=100.1 is not a percentage" in problem
