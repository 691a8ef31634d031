"""A tracker follows a trial, and neither its errors nor its slowness reach the trial."""

import logging
import threading
from pathlib import Path

import pytest
from support.fake_tracker import FakeTracker, calls_of
from support.trial_factory import Runs

from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState
from clip_hparam.training.callbacks.trackers import callback as module
from clip_hparam.training.callbacks.trackers.callback import TrackerCallback
from clip_hparam.training.callbacks.trackers.registry import TRACKERS


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    monkeypatch.setitem(TRACKERS, "fake", FakeTracker)
    return Runs(tmp_path / "runs").done({"epochs": 3}, seed=1, acc1=97.0)


def follow(record: Record, rows: slice, state: TrialState = TrialState.DONE) -> None:
    callback = TrackerCallback("fake", record)
    known = record.rows()
    for end in range(rows.start, rows.stop):
        callback.on_step(known[end]["step"], 45)
        assert not callback.on_epoch_end(known[: end + 1])
    callback.on_end(state, record.result() if state is TrialState.DONE else None)


def test_epochs_and_result_arrive_in_order(record: Record) -> None:
    follow(record, slice(0, 3))
    runs = record.folder.parent
    assert [one["call"] for one in calls_of(runs)] == ["open", "log", "log", "log", "close"]
    assert [one["step"] for one in calls_of(runs, "log")] == [15, 30, 45]
    (closed,) = calls_of(runs, "close")
    assert closed["state"] == "done"
    assert closed["summary"]["test_acc1.raw.selected"] == 97.0
    assert closed["summary"]["cost.seconds"] > 0


def test_resumed_trial_continues_its_run_and_sends_no_epoch_twice(record: Record) -> None:
    follow(record, slice(0, 2), TrialState.QUEUED)
    Runs(record.folder.parent).sweep("later", {"cell": {"epochs": 3}}, [1])
    follow(record, slice(2, 3))
    runs = record.folder.parent
    assert [one["step"] for one in calls_of(runs, "log")] == [15, 30, 45]
    first, second = calls_of(runs, "open")
    assert first == second  # also the group, although the trial is in a sweep by now


def test_epochs_that_a_killed_attempt_did_not_send_are_sent_by_the_next(record: Record) -> None:
    follow(record, slice(2, 3))
    assert [one["step"] for one in calls_of(record.folder.parent, "log")] == [15, 30, 45]


@pytest.mark.parametrize("call", ["open", "log", "close"])
def test_error_of_a_tracker_is_one_warning_without_its_password(
    call: str, record: Record, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(FakeTracker, "fails", call)
    with caplog.at_level(logging.WARNING):
        follow(record, slice(0, 3))
    (warning,) = [one.getMessage() for one in caplog.records]
    assert warning.startswith("tracker=fake: ConnectionError: no route to http://me:***@tracker.")
    assert f"clip-hparam sync fake {record.trial_id} --runs" in warning
    assert "\n" not in warning
    monkeypatch.setattr(FakeTracker, "fails", "")
    follow(record, slice(0, 3))
    steps = [one["step"] for one in calls_of(record.folder.parent, "log")]
    assert steps == [15, 30, 45]


def test_slow_tracker_delays_the_end_of_a_trial_by_a_limit_only(
    record: Record, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(FakeTracker, "seconds", 60.0)
    monkeypatch.setattr(module, "END_SECONDS", 0.1)
    follow(record, slice(0, 3))
    (warning,) = [entry.getMessage() for entry in caplog.records]
    assert "did not answer within 0 s" in warning
    waiting = [thread for thread in threading.enumerate() if thread.name.startswith("tracker ")]
    assert waiting
    assert all(thread.daemon for thread in waiting), "the process would not end"
