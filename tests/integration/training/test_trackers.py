"""`tracker=[...]`: a trial of a sweep and its resume are one run; bad names and broken trackers."""

from pathlib import Path

import pytest
from support.cli import SHORT, clip_hparam, plan, records, sweep
from support.fake_tracker import FakeTracker, calls_of

from clip_hparam.records.record import Record, trial_ids
from clip_hparam.training.callbacks.trackers.registry import TRACKERS


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeTracker]:
    monkeypatch.setitem(TRACKERS, "fake", FakeTracker)
    return FakeTracker


def test_trial_is_followed_and_its_id_does_not_depend_on_it(
    fake: type[FakeTracker], tmp_path: Path
) -> None:
    done = sweep("tracker=fake", "epochs=2", "data.epoch_images=100", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    runs = tmp_path / "runs"
    opened, *logged, closed = calls_of(runs)
    (record,) = records(tmp_path)
    assert [one["step"] for one in logged] == [row["step"] for row in record.rows()]
    assert opened["config"]["epochs"] == 2
    result = record.result()
    assert result is not None
    accuracy = "test_acc1.raw.selected"
    assert closed["summary"][accuracy] == pytest.approx(result["metrics"][accuracy])
    again = sweep("epochs=2", "data.epoch_images=100", cwd=tmp_path)
    assert "is done already" in again.out
    sent = clip_hparam("sync", "fake", cwd=tmp_path)
    assert sent.out.startswith("0 trials sent, 1 was there already: runs/.trackers/fake")


def test_broken_tracker_changes_no_number(
    fake: type[FakeTracker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "fails", "open")
    done = sweep("tracker=[fake]", *SHORT, "machine.runs=a", cwd=tmp_path)
    assert done.code == 0
    text = done.out + done.err
    assert text.count("tracker=fake: ConnectionError") == 1
    assert "hunter2" not in text
    assert sweep(*SHORT, "machine.runs=b", cwd=tmp_path).code == 0
    with_tracker, without = (
        Record(tmp_path / name, next(trial_ids(tmp_path / name))).result() for name in "ab"
    )
    assert with_tracker is not None
    assert without is not None
    assert with_tracker["metrics"] == without["metrics"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("tracker=wandbb",), "unknown tracker=wandbb: did you mean wandb?"),
        (("-m", "tracker=wandbb", "lr=1e-3,1e-2"), "unknown tracker=wandbb: did you mean wandb?"),
        (("tracker=[3]",), "tracker=[3]: 3 names no tracker: try 'tracker=[tensorboard,wandb]'"),
        (
            ("-m", "tracker=tensorboard,wandb"),
            "tracker=tensorboard,wandb sweeps the trackers: for these trackers type"
            " 'tracker=[tensorboard,wandb]'",
        ),
        (
            ("tracker=tensorboard",),
            "tracker=tensorboard needs the package tensorboard, which is not installed: type"
            " pip install 'clip-hparam[tensorboard]'",
        ),
    ],
)
def test_wrong_tracker_is_refused_before_training(
    words: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TRACKERS["tensorboard"], "package", "a_missing_package")
    sentence = sentence.replace("the package tensorboard", "the package a_missing_package")
    done = plan(*words, cwd=tmp_path)
    assert (done.code, done.err.strip()) == (2, sentence)
    assert not (tmp_path / "runs").exists()
