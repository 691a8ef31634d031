"""The cache gives the same frames as the records, and only changed trials are read again."""

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
def always_write_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MIN_NEW_TRIALS", 1)
    monkeypatch.setattr(cache, "MIN_NEW_SHARE", 0.0)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the ids of trials that were read from their files."""
    names: list[str] = []

    def counted(runs: Path | str, trial_id: str) -> TrialContents:
        names.append(trial_id)
        return original(runs, trial_id)

    original = reading.read_trial
    monkeypatch.setattr(reading, "read_trial", counted)
    return names


def write_trials(runs: Runs) -> list[str]:
    """Write done, running and failed trials; return their ids."""
    done = [runs.done(KNOBS, seed, 90.0 + seed) for seed in range(TRIALS - 2)]
    running, failed = runs.planned({}, 10), runs.planned({}, 11)
    running.write_rows([{"epoch": 0, "selection_acc1.raw": 50.0}])
    failed.write_failure("failed", "error", "out of luck")
    return [record.trial_id for record in (*done, running, failed)]


def assert_equal_frames(actual: analysis.Frames, expected: analysis.Frames) -> None:
    pd.testing.assert_frame_equal(actual.trials, expected.trials, check_like=True)
    order = ["trial_id", "epoch"]
    rows = [frames.epochs.sort_values(order, ignore_index=True) for frames in (actual, expected)]
    pd.testing.assert_frame_equal(*rows, check_like=True)
    assert actual.problems == expected.problems


def test_cached_frames_equal_the_records(runs: Runs, reads: list[str]) -> None:
    names = write_trials(runs)
    first = runs.frames()
    assert sorted(reads) == sorted(names)
    reads.clear()
    assert_equal_frames(runs.frames(), first)
    assert reads == []


CHANGES: dict[str, Callable[[Runs, Path], object]] = {
    "another result": lambda runs, _: runs.done(KNOBS, 0, 55.0),
    "another state": lambda runs, _: runs.planned({}, 10).write_status("lost"),
    "a new trial": lambda runs, _: runs.done(KNOBS, 20, 60.0),
    "one epoch more": lambda runs, _: runs.planned({}, 10).write_rows([{"epoch": 0}, {"epoch": 1}]),
    "bits gone": lambda _, folder: (folder / "correct.npz").unlink(),
    "edited in place": lambda _, folder: edit_result(folder / "result.json"),
}


def remove_cache(folder: Path) -> None:
    shutil.rmtree(folder / cache.CACHE_FOLDER)


def edit_result(path: Path) -> None:
    tree = json.loads(path.read_text())
    tree["metrics"]["test_acc1.ema.selected"] = 12.5
    path.write_text(json.dumps(tree, indent=1) + "\n")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_only_changed_trials_are_read_again(
    runs: Runs, reads: list[str], change: Callable[[Runs, Path], object]
) -> None:
    write_trials(runs)
    runs.frames()
    reads.clear()
    change(runs, runs.folder / runs.done(KNOBS, 0, 90.0).trial_id)
    cached = runs.frames()
    assert 1 <= len(reads) <= 2
    remove_cache(runs.folder)
    assert_equal_frames(cached, runs.frames())


def test_a_removed_trial_leaves_the_frames(runs: Runs, reads: list[str]) -> None:
    names = write_trials(runs)
    runs.frames()
    (runs.folder / names[0]).rename(runs.folder.parent / "elsewhere")
    frames = runs.frames()
    assert names[0] not in set(frames.trials["trial_id"]) | set(frames.epochs["trial_id"])
    assert len(frames.trials) == len(names) - 1
    assert len(reads) == len(names)


def test_problems_are_reported_on_each_load(runs: Runs, edit: Edit) -> None:
    write_trials(runs)
    folder = runs.folder / runs.done(KNOBS, 0, 90.0).trial_id
    edit(folder / "recipe.json", lambda tree: tree["recipe"].update(lr=9.0))
    first, second = runs.frames(), runs.frames()
    assert len(first.problems) == 1
    assert_equal_frames(first, second)


@pytest.mark.parametrize("name", ["trials.parquet", "epochs.parquet"])
@pytest.mark.parametrize(
    "vandal",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
    ],
)
def test_a_damaged_cache_is_ignored(runs: Runs, name: str, vandal: Callable[[Path], Any]) -> None:
    write_trials(runs)
    first = runs.frames()
    vandal(runs.folder / cache.CACHE_FOLDER / name)
    assert_equal_frames(runs.frames(), first)


def test_files_of_two_cache_writes_are_not_combined(runs: Runs) -> None:
    write_trials(runs)
    runs.frames()
    half = (runs.folder / cache.CACHE_FOLDER / "epochs.parquet").read_bytes()
    runs.done(KNOBS, 30, 70.0)
    later = runs.frames()
    (runs.folder / cache.CACHE_FOLDER / "epochs.parquet").write_bytes(half)
    assert_equal_frames(runs.frames(), later)


def test_a_cache_of_another_version_is_ignored(
    runs: Runs, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = write_trials(runs)
    runs.frames()
    monkeypatch.setattr(cache, "CACHE_VERSION", "0.0")
    runs.frames()
    assert len(reads) == 2 * len(names)


def test_an_unwritable_folder_is_read_without_cache(runs: Runs) -> None:
    write_trials(runs)
    (runs.folder / cache.CACHE_FOLDER).write_text("a file in the way")
    assert len(runs.frames().trials) == TRIALS


def test_a_moved_folder_keeps_its_cache(runs: Runs, reads: list[str], tmp_path: Path) -> None:
    write_trials(runs)
    runs.frames()
    reads.clear()
    moved = runs.folder.rename(tmp_path / "moved")
    frames = analysis.load(moved)
    assert reads == []
    assert set(frames.trials["folder"].map(os.path.dirname)) == {str(moved)}


def test_few_trials_write_no_cache(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MIN_NEW_TRIALS", TRIALS + 1)
    write_trials(runs)
    runs.frames()
    assert not (runs.folder / cache.CACHE_FOLDER).exists()


def test_epochs_end_before_a_cut_line_which_is_reported(runs: Runs) -> None:
    record = runs.planned({})
    record.write_rows([{"epoch": 0, "selection_acc1.raw": 50.0}, {"epoch": 1}, {"epoch": 2}])
    path = record.folder / "metrics.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    frames = runs.frames()
    assert list(frames.epochs["epoch"]) == [0]
    assert "metrics.jsonl line 2 is truncated" in frames.problems[0]


def test_a_column_of_numbers_and_text_becomes_text(runs: Runs) -> None:
    runs.planned({}, 0).write_rows([{"epoch": 0, "note": 1.5}])
    runs.planned({}, 1).write_rows([{"epoch": 0, "note": "warm"}])
    assert set(runs.frames().epochs["note"]) == {"1.5", "warm"}
