"""The cache: what is kept says what the records say, and only what changed is read again."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.trial_factory import Edit, Runs

from clip_hparam import analysis
from clip_hparam.analysis.frames import cache
from clip_hparam.analysis.frames import runs_reader as reading
from clip_hparam.analysis.frames.trial_reader import TrialContents

KNOBS = {"ema_decay": 0.9, "epochs": 3}
TRIALS = 6


@pytest.fixture(autouse=True)
def always_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MIN_NEW_TRIALS", 1)
    monkeypatch.setattr(cache, "MIN_NEW_SHARE", 0.0)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the trials that were read from their own files."""
    names: list[str] = []

    def counted(runs: Path | str, trial_id: str) -> TrialContents:
        names.append(trial_id)
        return original(runs, trial_id)

    original = reading.read_trial
    monkeypatch.setattr(reading, "read_trial", counted)
    return names


def filled(runs: Runs) -> list[str]:
    """Done, running and failed trials; their ids."""
    done = [runs.done(KNOBS, seed, 90.0 + seed) for seed in range(TRIALS - 2)]
    running, failed = runs.planned({}, 10), runs.planned({}, 11)
    running.write_rows([{"epoch": 0, "selection_acc1.raw": 50.0}])
    failed.write_failure("failed", "error", "out of luck")
    return [record.trial_id for record in (*done, running, failed)]


def same(one: analysis.Frames, other: analysis.Frames) -> None:
    pd.testing.assert_frame_equal(one.trials, other.trials, check_like=True)
    order = ["trial_id", "epoch"]
    rows = [frames.epochs.sort_values(order, ignore_index=True) for frames in (one, other)]
    pd.testing.assert_frame_equal(*rows, check_like=True)
    assert one.problems == other.problems


def test_from_the_cache_comes_what_the_records_say(runs: Runs, reads: list[str]) -> None:
    names = filled(runs)
    first = runs.frames()
    assert sorted(reads) == sorted(names)
    reads.clear()
    same(runs.frames(), first)
    assert reads == []


CHANGES: dict[str, Callable[[Runs, Path], object]] = {
    "another result": lambda runs, _: runs.done(KNOBS, 0, 55.0),
    "another state": lambda runs, _: runs.planned({}, 10).write_status("lost"),
    "a new trial": lambda runs, _: runs.done(KNOBS, 20, 60.0),
    "one epoch more": lambda runs, _: runs.planned({}, 10).write_rows([{"epoch": 0}, {"epoch": 1}]),
    "bits gone": lambda _, folder: (folder / "correct.npz").unlink(),
    "edited in place": lambda _, folder: in_place(folder / "result.json"),
}


def forget(folder: Path) -> None:
    shutil.rmtree(folder / cache.CACHE_FOLDER)


def in_place(path: Path) -> None:
    tree = json.loads(path.read_text())
    tree["metrics"]["test_acc1.ema.selected"] = 12.5
    path.write_text(json.dumps(tree, indent=1) + "\n")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changed_is_read_again_and_nothing_else(
    runs: Runs, reads: list[str], change: Callable[[Runs, Path], object]
) -> None:
    filled(runs)
    runs.frames()
    reads.clear()
    change(runs, runs.folder / runs.done(KNOBS, 0, 90.0).trial_id)
    cached = runs.frames()
    assert 1 <= len(reads) <= 2
    forget(runs.folder)
    same(cached, runs.frames())


def test_a_trial_that_is_gone_is_gone(runs: Runs, reads: list[str]) -> None:
    names = filled(runs)
    runs.frames()
    (runs.folder / names[0]).rename(runs.folder.parent / "elsewhere")
    frames = runs.frames()
    assert names[0] not in set(frames.trials["trial_id"]) | set(frames.epochs["trial_id"])
    assert len(frames.trials) == len(names) - 1
    assert len(reads) == len(names)


def test_a_problem_is_named_each_time(runs: Runs, edit: Edit) -> None:
    filled(runs)
    folder = runs.folder / runs.done(KNOBS, 0, 90.0).trial_id
    edit(folder / "recipe.json", lambda tree: tree["recipe"].update(lr=9.0))
    first, second = runs.frames(), runs.frames()
    assert len(first.problems) == 1
    same(first, second)


@pytest.mark.parametrize("name", ["trials.parquet", "epochs.parquet"])
@pytest.mark.parametrize(
    "vandal",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
    ],
)
def test_a_damaged_cache_is_read_past(runs: Runs, name: str, vandal: Callable[[Path], Any]) -> None:
    filled(runs)
    first = runs.frames()
    vandal(runs.folder / cache.CACHE_FOLDER / name)
    same(runs.frames(), first)


def test_halves_of_two_writings_do_not_go_together(runs: Runs) -> None:
    filled(runs)
    runs.frames()
    half = (runs.folder / cache.CACHE_FOLDER / "epochs.parquet").read_bytes()
    runs.done(KNOBS, 30, 70.0)
    later = runs.frames()
    (runs.folder / cache.CACHE_FOLDER / "epochs.parquet").write_bytes(half)
    same(runs.frames(), later)


def test_a_cache_of_another_version_is_not_read(
    runs: Runs, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = filled(runs)
    runs.frames()
    monkeypatch.setattr(cache, "CACHE_VERSION", "0.0")
    runs.frames()
    assert len(reads) == 2 * len(names)


def test_a_folder_that_cannot_be_written_is_read_all_the_same(runs: Runs) -> None:
    filled(runs)
    (runs.folder / cache.CACHE_FOLDER).write_text("a file in the way")
    assert len(runs.frames().trials) == TRIALS


def test_a_moved_folder_keeps_its_cache(runs: Runs, reads: list[str], tmp_path: Path) -> None:
    filled(runs)
    runs.frames()
    reads.clear()
    moved = runs.folder.rename(tmp_path / "moved")
    frames = analysis.load(moved)
    assert reads == []
    assert set(frames.trials["folder"].map(os.path.dirname)) == {str(moved)}


def test_few_trials_leave_no_cache(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MIN_NEW_TRIALS", TRIALS + 1)
    filled(runs)
    runs.frames()
    assert not (runs.folder / cache.CACHE_FOLDER).exists()


def test_a_cut_line_ends_the_epochs_and_says_so(runs: Runs) -> None:
    record = runs.planned({})
    record.write_rows([{"epoch": 0, "selection_acc1.raw": 50.0}, {"epoch": 1}, {"epoch": 2}])
    path = record.folder / "metrics.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    frames = runs.frames()
    assert list(frames.epochs["epoch"]) == [0]
    assert "metrics.jsonl line 2 is cut" in frames.problems[0]


def test_a_column_of_numbers_and_text_is_text_not_an_error(runs: Runs) -> None:
    runs.planned({}, 0).write_rows([{"epoch": 0, "note": 1.5}])
    runs.planned({}, 1).write_rows([{"epoch": 0, "note": "warm"}])
    assert set(runs.frames().epochs["note"]) == {"1.5", "warm"}
