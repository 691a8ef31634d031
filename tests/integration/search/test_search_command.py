"""Searches from the command line with real training: workers, pruning, continuation."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from support.cli import SHORT, Done, clip_hparam, records, results, sweep, sweep_process

from clip_hparam import analysis
from clip_hparam.cli.hydra_app.compose import compose_recipe

TINY = ("epochs=6", "data.epoch_images=100", "workers=2")
SEARCH = ("-m", "sweeps=search", *TINY)


def manifest_of(folder: Path) -> dict:
    (path,) = (folder / "runs" / ".sweeps").glob("*.json")
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """Run a search of five points in its own folder."""
    folder: Path = tmp_path_factory.mktemp("a search")
    return folder, sweep(*SEARCH, "hydra.sweeper.n_trials=5", cwd=folder)


def test_search_runs_prunes_and_prints_the_best_points(first: tuple[Path, Done]) -> None:
    folder, done = first
    assert done.code == 0, done.err
    cells = manifest_of(folder)["cells"]
    assert [cell["number"] for cell in sorted(cells, key=lambda c: c["number"])] == list(range(5))
    states = Counter(record.status()["state"] for record in records(folder))
    assert set(states) == {"done", "pruned"}
    assert "best points by the selection set" in done.out
    assert "test" not in done.out
    assert "the first again: python sweep.py recipe=weak_aug" in done.out


def test_pruned_trial_stops_within_one_epoch(first: tuple[Path, Done]) -> None:
    """Trials are pruned at rungs; no epoch follows the rung that prunes a trial."""
    for record in records(first[0]):
        if record.status()["state"] == "pruned":
            rows = record.rows()
            assert [row["epoch"] for row in rows] == list(range(len(rows)))
            assert len(rows) in (1, 3)
            assert f"pruned after epoch {len(rows)}/6" in (record.folder / "log.txt").read_text()
            assert not any((record.folder / "checkpoint").glob("*"))
            assert record.result() is None


def test_same_command_with_more_points_continues_the_search(first: tuple[Path, Done]) -> None:
    folder, _ = first
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("metrics.jsonl")}
    fewer = sweep(*SEARCH, "hydra.sweeper.n_trials=2", cwd=folder)
    assert (fewer.code, len(manifest_of(folder)["cells"])) == (0, 5)
    assert "is complete: 2 points were requested" in fewer.out
    more = sweep(*SEARCH, "hydra.sweeper.n_trials=6", cwd=folder)
    assert (more.code, len(manifest_of(folder)["cells"])) == (0, 6)
    assert all(path.stat().st_mtime_ns == changed for path, changed in before.items())


def test_point_equals_the_same_trial_run_alone(first: tuple[Path, Done], tmp_path: Path) -> None:
    """The overrides of a point, run alone in a new process, give the same id and numbers."""
    folder, _ = first
    done = results(folder)
    cell = next(c for c in reversed(manifest_of(folder)["cells"]) if c["trials"]["100"] in done)
    alone = sweep_process(*cell["overrides"], "seed=100", cwd=tmp_path)
    assert alone.code == 0, alone.err
    assert results(tmp_path) == {cell["trials"]["100"]: done[cell["trials"]["100"]]}


def test_status_and_why_show_a_search(first: tuple[Path, Done]) -> None:
    folder, _ = first
    status = clip_hparam("status", "--json", cwd=folder)
    (sweep_status,) = json.loads(status.out)
    assert set(sweep_status["states"]) == {"done", "pruned"}
    pruned = next(r for r in records(folder) if r.status()["state"] == "pruned")
    why = json.loads(clip_hparam("why", pruned.trial_id, "--json", cwd=folder).out)
    assert (why["state"], why["failure"]) == ("pruned", None)


def test_search_on_the_command_line_shares_trials_with_a_sweep(tmp_path: Path) -> None:
    """Run a search with levels, replicates and SQLite, then a sweep over the same trials."""
    short = ("epochs=1", "data.epoch_images=100", "seeds=2")
    keys = ("n_trials=4", "sampler=grid", "pruner=none", "storage=sqlite:///study.db", "n_jobs=1")
    named = [f"hydra.sweeper.{key}" for key in keys]
    words = ("lr=choice(1e-3,3e-3)", *short, *named, "hydra/launcher=inline")
    done = sweep("-m", *words, cwd=tmp_path)
    assert done.code == 0, done.err
    assert "2 points: 2 done" in done.out
    assert (tmp_path / "study.db").exists()
    (found,) = analysis.load(tmp_path / "runs").sweeps
    assert [len(cell.trials) for cell in found.cells] == [2, 2]
    grid = sweep("-m", "lr=1e-3,3e-3", *short, cwd=tmp_path)
    assert grid.code == 0, grid.err
    assert [record.status()["attempt"] for record in records(tmp_path)] == [1] * 4


def test_dry_run_starts_nothing_and_imports_no_training_stack(tmp_path: Path) -> None:
    words = ("lr=tag(log,interval(1e-5,1e-2))", "layer_decay=interval(.5,1)", "mixup=choice(0,.8)")
    done = sweep("-m", *words, "hydra.sweeper.n_trials=50", "dry_run=true", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "50 points of 1 seed each, 0 of them started; maximize selection_acc1" in done.out
    assert list(tmp_path.iterdir()) == []


def test_points_train_at_reduced_fidelity_and_export_at_full_fidelity(tmp_path: Path) -> None:
    words = ("-m", "lr=1e-3,3e-3", "hydra.sweeper.sampler=grid", "hydra.sweeper.n_trials=2")
    cheap = "hydra.sweeper.fidelity={epochs:1,data.epoch_images:100}"
    done = sweep(*words, "epochs=7", cheap, cwd=tmp_path)
    assert done.code == 0, done.err
    recipes = [(record.recipe() or {})["recipe"] for record in records(tmp_path)]
    assert [(one["epochs"], one["data"]["epoch_images"]) for one in recipes] == [(1, 100)] * 2
    (command,) = re.findall(r"run the first at full cost: python sweep.py (.*)", done.out)
    full = compose_recipe(command.split())
    assert (full.epochs, full.data.epoch_images) == (7, 450)
    assert "all were trained at epochs=1 data.epoch_images=100" in done.out
    name = next((tmp_path / "runs" / ".sweeps").glob("*.json")).stem
    file = clip_hparam("export-recipe", name, cwd=tmp_path)
    assert file.code == 0, file.err
    assert "# Measured with epochs=1 data.epoch_images=100; this file is the full run" in file.out
    assert "epochs: 7\n" in file.out
    assert "epoch_images: 450\n" in file.out


@pytest.mark.parametrize("url", ["postgresql://me:secret@h:9/db", "mysql://h/db?password=secret"])
def test_typed_password_is_in_no_file(url: str, tmp_path: Path) -> None:
    done = sweep("-m", "lr=1e-3", f"hydra.sweeper.storage='{url}'", *SHORT, cwd=tmp_path)
    assert done.code == 0, done.err
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert any(b"***" in content for content in written)
    assert not any(b"secret" in content for content in written)
