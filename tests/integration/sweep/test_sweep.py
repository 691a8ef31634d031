"""Trials and sweeps by the command line, with real training."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from support.cli import SHORT, clip_hparam, plan, records, results, sweep, sweep_process

from clip_hparam.data.digits import load_digits

GRID = ("-m", "lr=1e-3,3e-3", "layer_decay=0.65,1", "seeds=2", *SHORT)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("a folder")
    done = sweep(*GRID, cwd=folder)
    assert done.code == 0, done.err
    return folder


def test_trial_folder_has_the_files_of_the_contract(tmp_path: Path) -> None:
    done = sweep("lr=2e-3", "seed=3", "keep_checkpoints=best", *SHORT, cwd=tmp_path)
    assert done.code == 0, done.err
    (record,) = records(tmp_path)
    result, recipe = record.result(), record.recipe()
    assert result is not None
    assert recipe is not None
    assert (recipe["recipe"]["lr"], recipe["recipe"]["seed"]) == (2e-3, 3)
    assert record.corrupted_files() == []
    assert [row["epoch"] for row in record.rows()] == [0]
    reported = result["metrics"]["test_acc1.ema.selected"]
    bits = np.load(record.folder / "correct.npz")
    right = np.unpackbits(bits["acc1.ema.selected"], count=int(bits["n"]))
    assert right.mean() * 100 == pytest.approx(reported)
    assert list(bits["classes"]) == list("0123456789")
    assert (bits["labels"] == load_digits().test.labels).all()
    assert f"{reported:.2f} %" in done.out
    assert result["metrics"]["test_acc1.zero_shot"] > 12
    assert "head.weight" in load_file(record.folder / "best.safetensors")
    assert not (record.folder / "checkpoint").exists()
    assert {"versions", "git", "host", "command", "numerics", "started"} <= result.keys()
    assert result["versions"]["torch"]
    log = (record.folder / "log.txt").read_text()
    assert "epoch 1/1" in log
    assert "epoch 1/1" in done.out


def test_done_trial_is_reported_and_not_changed(grid: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in grid.rglob("*.json")}
    one = sweep("lr=1e-3", "layer_decay=1", "seed=1", *SHORT, cwd=grid)
    assert one.code == 0, one.err
    assert "is done already" in one.out
    assert {path: path.stat().st_mtime_ns for path in grid.rglob("*.json")} == before


def test_grid_runs_every_cell_with_every_seed(grid: Path) -> None:
    recipes = [tree["recipe"] for record in records(grid) if (tree := record.recipe())]
    cells = {tuple(tree[knob] for knob in ("lr", "layer_decay", "seed")) for tree in recipes}
    assert len(cells) == len(recipes) == 8
    (manifest,) = (grid / "runs" / ".sweeps").glob("*.json")
    planned = json.loads(manifest.read_text())
    ids = [trial for cell in planned["cells"] for trial in cell["trials"].values()]
    assert sorted(ids) == sorted(results(grid))
    assert planned["cells"][0]["overrides"] == [*SHORT, "lr=0.001", "layer_decay=0.65"]


def test_repeated_sweep_runs_nothing(grid: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in grid.rglob("result.json")}
    again = plan(*reversed(GRID), cwd=grid)
    assert again.code == 0, again.err
    assert {path: path.stat().st_mtime_ns for path in grid.rglob("result.json")} == before


def test_archived_sweep_is_not_run_again(grid: Path, tmp_path: Path) -> None:
    shutil.copytree(grid / "runs", tmp_path / "runs")
    assert clip_hparam("pack", cwd=tmp_path).code == 0
    again = plan(*GRID, cwd=tmp_path)
    assert again.code == 0, again.err
    one = plan("lr=1e-3", "layer_decay=1", "seed=1", *SHORT, cwd=tmp_path)
    assert "is done already" in one.out
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {".packs", ".sweeps"}
    assert results(tmp_path) == results(grid)


def test_overrides_of_a_cell_reproduce_its_result(grid: Path, tmp_path: Path) -> None:
    (manifest,) = (grid / "runs" / ".sweeps").glob("*.json")
    cell = json.loads(manifest.read_text())["cells"][1]
    done = sweep(*cell["overrides"], "seed=1", cwd=tmp_path)
    assert done.code == 0, done.err
    assert results(tmp_path) == {cell["trials"]["1"]: results(grid)[cell["trials"]["1"]]}


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_third_party_launchers_run_the_same_trials(
    launcher: str, grid: Path, tmp_path: Path
) -> None:
    words = ("-m", "lr=1e-3", "layer_decay=1", "seeds=2", *SHORT)
    done = sweep_process(*words, f"hydra/launcher={launcher}", cwd=tmp_path)
    assert done.code == 0, done.err
    assert len(results(tmp_path)) == 2
    assert results(tmp_path).items() <= results(grid).items()


def test_budget_without_records_is_checked_by_timing_three_steps(tmp_path: Path) -> None:
    done = sweep_process("-m", "sweeps=ladder", "budget=1s", cwd=tmp_path)
    assert (done.code, done.out.count("three steps are timed")) == (2, 1)
    assert re.fullmatch(
        r"budget=1s is less than the predicted [\d.]+ (s|min|h) on \d+ workers: try .*\n", done.err
    )
    assert list(tmp_path.iterdir()) == []
