"""A trial as a run: sweep and cell are group and name, knobs are config, secrets are left out."""

from pathlib import Path

import pytest
from support.trial_factory import Runs

from clip_hparam.training.callbacks.trackers.tracker import numbers, tracked_run


def test_sweep_and_cell_are_group_and_name(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    record = runs.planned({"lr": 1e-3}, seed=3)
    runs.sweep("old", {"other": {"lr": 1e-3}})
    runs.sweep("lr", {"lr=0.001": {"lr": 1e-3}, "lr=0.01": {"lr": 1e-2}})
    run = tracked_run(record)
    assert (run.trial_id, run.group, run.name) == (record.trial_id, "lr", "lr=0.001 seed=3")


def test_trial_without_a_sweep_is_named_by_its_label(tmp_path: Path) -> None:
    record = Runs(tmp_path).planned({"lr": 2e-3}, seed=4)
    run = tracked_run(record)
    assert run.group == "single"
    assert "lr=0.002" in run.name
    assert run.name.count("seed=4") == 1


def test_knobs_are_config_by_the_names_of_the_command_line(tmp_path: Path) -> None:
    run = tracked_run(Runs(tmp_path).planned({"lr": 2e-3}, seed=4))
    assert run.config["lr"] == 2e-3
    assert run.config["data.shots"] >= 0
    assert not {"data.root", "encoder.pretrained", "machine.runs"} & set(run.config)


def test_password_in_a_label_does_not_reach_the_tracker(tmp_path: Path) -> None:
    record = Runs(tmp_path).planned({}, seed=0)
    head = record.recipe()
    assert head is not None
    label = "hydra.sweeper.storage=mysql://me:hunter2@host/db"
    record.write_recipe({**head["recipe"], "pool": "a://b:hunter2@c"}, label)
    run = tracked_run(record)
    assert "hunter2" not in str(run)
    assert "mysql://me:***@host/db" in run.name


def test_missing_recipe_is_refused(tmp_path: Path) -> None:
    record = Runs(tmp_path).planned({}, seed=0)
    (record.folder / "recipe.json").unlink()
    with pytest.raises(ValueError, match=r"recipe\.json is missing or damaged"):
        tracked_run(record)


def test_only_numbers_are_metrics() -> None:
    assert numbers({"a": 1, "b": None, "c": "x", "d": True, "e": 2.5}) == {"a": 1.0, "e": 2.5}
