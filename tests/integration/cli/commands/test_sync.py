"""`clip-hparam sync`: records are sent once, by sweep, cell or trial; errors lose nothing."""

import json
import os
from pathlib import Path

import pytest
from support.cli import clip_hparam
from support.fake_tracker import FakeTracker, calls_of
from support.trial_factory import Ladder

from clip_hparam.cli.commands import sync
from clip_hparam.records.record import Record
from clip_hparam.training.callbacks.trackers.registry import TRACKERS

RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeTracker]:
    monkeypatch.setitem(TRACKERS, "fake", FakeTracker)
    return FakeTracker


def test_all_records_are_sent_once(ladder: Ladder, tmp_path: Path) -> None:
    for sent, unchanged in ((34, 0), (0, 34)):
        done = clip_hparam("sync", "fake", "--json", cwd=tmp_path)
        facts = json.loads(done.out)
        assert (facts["sent"], facts["unchanged"]) == (sent, unchanged)
    opened = calls_of(tmp_path / "runs", "open")
    assert {one["group"] for one in opened} == {"ladder"}
    assert "lower_lr seed=2" in {one["name"] for one in opened}
    assert clip_hparam("sync", "fake", "ladder", "--again", cwd=tmp_path).out.startswith("34 ")


@pytest.mark.parametrize(("name", "trials"), [("ladder/ema", 4), ("llrd", 5), ("ladder", 34)])
def test_sweep_or_cell_is_sent(name: str, trials: int, ladder: Ladder, tmp_path: Path) -> None:
    done = clip_hparam("sync", "fake", name, cwd=tmp_path)
    assert done.out.startswith(f"{trials} trials sent, 0 were there already: ")


def test_interrupted_sync_goes_on_where_it_stopped(
    ladder: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: type[FakeTracker]
) -> None:
    trial = next(iter(sorted(path.parent.name for path in tmp_path.glob("runs/*/recipe.json"))))
    assert clip_hparam("sync", "fake", trial[:8], cwd=tmp_path).code == 0
    monkeypatch.setattr(fake, "fails", "open")
    failed = clip_hparam("sync", "fake", cwd=tmp_path)
    assert failed.code == 3
    assert failed.err.count("\n") == 1
    assert "hunter2" not in failed.err
    assert "0 of 34 trials sent; run the same command again to send the rest" in failed.err
    monkeypatch.setattr(fake, "fails", "")
    done = clip_hparam("sync", "fake", cwd=tmp_path)
    assert done.out.startswith("33 trials sent, 1 was there already")


@pytest.mark.parametrize(("given", "used"), [("", "2"), ("5", "5")])
def test_a_server_that_does_not_answer_is_asked_twice_more(
    given: str, used: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str | None] = []

    def no_records(*_: object) -> list[Record]:
        seen.append(os.environ.get(RETRIES))
        return []

    monkeypatch.setattr(sync, "_records", no_records)
    if given:
        monkeypatch.setenv(RETRIES, given)
    assert clip_hparam("sync", "fake", cwd=tmp_path).code == 0
    assert seen == [used]


def test_wrong_names_are_refused(ladder: Ladder, tmp_path: Path) -> None:
    wrong = clip_hparam("sync", "mlflo", cwd=tmp_path)
    assert (wrong.code, wrong.err) == (2, "unknown tracker=mlflo: did you mean mlflow?\n")
    unknown = clip_hparam("sync", "fake", "ladderr", cwd=tmp_path)
    assert unknown.code == 2
    assert unknown.err.startswith("no trial is called ladderr")
