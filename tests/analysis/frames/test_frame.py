"""Frames equal the records; damaged and foreign files give no numbers."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.trial_factory import SEEDS, Edit, Ladder, Runs, ladder_cells

from clip_hparam import analysis
from clip_hparam.analysis.frames.frame import METRIC_COLUMNS, reported_values

KNOBS = {"lr": 1e-3, "ema_decay": 0.98}


def test_trials_have_a_row_per_trial_with_all_knobs_and_metrics(ladder: Ladder) -> None:
    runs, truth = ladder
    trials = runs.frames().trials
    assert len(trials) == len(ladder_cells()) * len(SEEDS)
    assert trials["trial_id"].is_unique
    assert set(METRIC_COLUMNS) <= set(trials)
    assert {"lr", "data.shots", "encoder.weights", "git.sha", "versions.torch"} <= set(trials)
    for rung, values in ladder_cells().items():
        for seed, acc1 in truth[rung].items():
            same = trials["seed"] == seed
            for knob, value in values.items():
                same &= trials[knob] == value
            assert acc1 in list(reported_values(trials[same]))


def test_each_metric_column_equals_the_record(runs: Runs) -> None:
    record = runs.done(KNOBS, 0, 97.0)
    row = runs.frames().trials.iloc[0]
    written = json.loads((record.folder / "result.json").read_text())["metrics"]
    assert {name: row[name] for name in written} == written


@pytest.mark.parametrize("ema_decay", [0.0, 0.98])
def test_epochs_have_a_row_per_epoch_and_ema_only_with_ema(runs: Runs, ema_decay: float) -> None:
    record = runs.done({"ema_decay": ema_decay, "epochs": 3}, 0, 97.0)
    frames = runs.frames()
    assert list(frames.epochs["epoch"]) == [0, 1, 2]
    assert set(frames.epochs["trial_id"]) == {record.trial_id}
    has_ema = "selection_acc1.ema" in frames.epochs and frames.epochs["selection_acc1.ema"].any()
    assert has_ema == (ema_decay > 0)
    assert math.isnan(frames.trials["test_acc1.ema.last"].iloc[0]) == (ema_decay == 0)


@pytest.mark.parametrize("weights", ["raw", "ema"])
def test_the_reported_value_uses_the_selecting_weights(runs: Runs, weights: str) -> None:
    runs.done(KNOBS, 0, 97.0, selected_weights=weights)
    trials = runs.frames().trials
    assert list(reported_values(trials)) == [trials[f"test_acc1.{weights}.selected"].iloc[0]]


def test_an_unknown_metric_suggests_close_names(runs: Runs) -> None:
    runs.done(KNOBS, 0, 97.0)
    with pytest.raises(ValueError, match=r"no metric tets_acc1: did you mean test_acc1"):
        reported_values(runs.frames().trials, "tets_acc1")


@pytest.mark.parametrize("state", ["queued", "running", "failed", "diverged", "lost", "held"])
def test_a_trial_that_is_not_done_keeps_its_status_and_has_no_metrics(
    runs: Runs, state: str
) -> None:
    record = runs.planned(KNOBS)
    record.write_rows([{"epoch": 0, "selection_acc1.raw": 50.0}])
    if state == "failed":
        record.write_failure(state, "error", "out of luck")
    record.write_status(state)
    frames = runs.frames()
    row = frames.trials.iloc[0]
    assert row["status"] == state
    assert row["lr"] == KNOBS["lr"]
    assert row[list(METRIC_COLUMNS)].isna().all()
    assert frames.problems == []
    assert len(frames.epochs) == 1
    if state == "failed":
        assert row["failure.message"] == "out of luck"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGE: dict[str, tuple[Callable[[Path, Edit], object], str]] = {
    "result cut": (lambda f, _: cut(f / "result.json"), "is truncated"),
    "result empty": (lambda f, _: (f / "result.json").write_text(""), "is truncated"),
    "result a list": (lambda f, _: (f / "result.json").write_text("[1]"), "is truncated"),
    "result gone": (lambda f, _: (f / "result.json").unlink(), "status.json says done"),
    "epochs cut": (lambda f, _: cut(f / "metrics.jsonl"), "metrics.jsonl changed"),
    "bits gone": (lambda f, _: (f / "correct.npz").unlink(), "correct.npz changed"),
    "recipe edited": (
        lambda f, edit: edit(f / "recipe.json", lambda tree: tree["recipe"].update(lr=9.0)),
        "recipe.json changed",
    ),
    "of another trial": (
        lambda f, edit: edit(f / "result.json", lambda tree: tree.update(trial_id="0" * 12)),
        "not the result of trial",
    ),
    "newer schema": (
        lambda f, edit: edit(f / "result.json", lambda tree: tree.update(schema=2)),
        "schema 2, this version reads up to 1: upgrade",
    ),
    "no schema": (
        lambda f, edit: edit(f / "result.json", lambda tree: tree.pop("schema")),
        "no schema number",
    ),
    "metric a text": (
        lambda f, edit: edit(
            f / "result.json", lambda tree: tree["metrics"].update({"test_acc1.ema.last": "97"})
        ),
        "is not a number",
    ),
    "metric above 100": (
        lambda f, edit: edit(
            f / "result.json", lambda tree: tree["metrics"].update({"test_acc1.ema.last": 970})
        ),
        "is not a percentage",
    ),
    "no metrics": (
        lambda f, edit: edit(f / "result.json", lambda tree: tree.pop("metrics")),
        "holds no metrics",
    ),
}


@pytest.mark.parametrize(("vandal", "sentence"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_record_is_reported_and_has_no_metrics(
    runs: Runs, edit: Edit, vandal: Callable[[Path, Edit], object], sentence: str
) -> None:
    sound = runs.done(KNOBS, 0, 97.0)
    damaged = runs.done(KNOBS, 1, 50.0)
    vandal(damaged.folder, edit)
    frames = runs.frames()
    trials = frames.trials.set_index("trial_id")
    assert trials.loc[damaged.trial_id, "status"] == "damaged"
    assert trials.loc[damaged.trial_id, list(METRIC_COLUMNS)].isna().all()
    assert reported_values(trials).dropna().to_dict() == {sound.trial_id: 97.0}
    assert set(frames.epochs["trial_id"]) == {sound.trial_id}
    (problem,) = frames.problems
    assert damaged.trial_id in problem
    assert sentence in problem


FOREIGN: dict[str, Callable[[Path, Edit], object]] = {
    "no recipe": lambda f, _: (f / "recipe.json").unlink(),
    "recipe cut": lambda f, _: cut(f / "recipe.json"),
    "renamed folder": lambda f, _: f.rename(f.with_name("my-best-run")),
    "newer schema": lambda f, edit: edit(f / "recipe.json", lambda tree: tree.update(schema=99)),
    "foreign json": lambda f, _: (f / "recipe.json").write_text('{"flour": 500}'),
}


@pytest.mark.parametrize("vandal", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_folder_is_reported_and_is_no_trial(
    runs: Runs, edit: Edit, vandal: Callable[[Path, Edit], object]
) -> None:
    sound = runs.done(KNOBS, 0, 97.0)
    vandal(runs.done(KNOBS, 1, 50.0).folder, edit)
    frames = runs.frames()
    assert list(frames.trials["trial_id"]) == [sound.trial_id]
    assert len(frames.problems) == 1
    assert "recipe.json" in frames.problems[0]


def test_null_and_nan_are_missing(runs: Runs, edit: Edit) -> None:
    record = runs.done(KNOBS, 0, 97.0)
    edit(
        record.folder / "result.json",
        lambda tree: tree["metrics"].update(
            {"test_loss.ema.last": math.nan, "test_loss.raw.last": None}
        ),
    )
    row = runs.frames().trials.iloc[0]
    assert math.isnan(row["test_loss.ema.last"])
    assert math.isnan(row["test_loss.raw.last"])


def test_an_empty_folder_gives_empty_frames_with_their_columns(tmp_path: Path) -> None:
    frames = analysis.load(tmp_path)
    assert len(frames.trials) == len(frames.epochs) == 0
    assert {"lr", *METRIC_COLUMNS} <= set(frames.trials)
    assert list(reported_values(frames.trials)) == []
    assert frames.problems == []


def test_a_missing_folder_raises_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        analysis.load([tmp_path, tmp_path / "nope"])


def test_a_moved_folder_gives_the_same_trials(runs: Runs, tmp_path: Path) -> None:
    runs.done(KNOBS, 0, 97.0)
    before = runs.frames().trials.drop(columns="folder")
    runs.folder.rename(tmp_path / "elsewhere")
    after = analysis.load(tmp_path / "elsewhere").trials.drop(columns="folder")
    assert before.equals(after)


def test_of_two_copies_of_a_trial_the_done_copy_is_used(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Runs(tmp_path / "other")
    runs.planned(KNOBS)
    other.done(KNOBS, 0, 97.0)
    frames = analysis.load([runs.folder, other.folder])
    assert list(reported_values(frames.trials)) == [97.0]
    assert frames.problems == []


@pytest.mark.parametrize("second", [97.0, 96.0])
def test_copies_with_different_metrics_are_reported(
    runs: Runs, tmp_path: Path, second: float
) -> None:
    runs.done(KNOBS, 0, 97.0)
    other = Runs(tmp_path / "other")
    other.done(KNOBS, 0, second)
    frames = analysis.load([runs.folder, other.folder])
    assert list(reported_values(frames.trials)) == [97.0]
    assert len(frames.problems) == (second != 97.0)


def test_load_writes_nothing(ladder: Ladder, tmp_path: Path) -> None:
    copy = shutil.copytree(ladder.runs.folder, tmp_path / "copy")
    before = {path: path.stat().st_mtime_ns for path in sorted(copy.rglob("*"))}
    analysis.load(copy)
    assert before == {path: path.stat().st_mtime_ns for path in sorted(copy.rglob("*"))}
