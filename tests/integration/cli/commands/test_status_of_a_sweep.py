"""`clip-hparam status NAME` shows the results of the cells, also while trials are missing."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from support.cli import clip_hparam as ask

from clip_hparam.config.identity import canonical, trial_id
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import Cell
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.atomic import write_json
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState
from clip_hparam.sweep.sweep import PlannedTrial, Sweep
from clip_hparam.sweep.tables import show_table

ACCURACIES = {0.01: (90.0, 91.0, 92.0), 0.02: (92.0, 93.0, 95.0)}
LONG = "layer_decay=0.65,rand_augment=rand-m9-mstd0.5-inc1,label_smoothing=0.1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the records of a sweep of two cells; the last trial is planned."""
    cells = []
    for lr, accuracies in ACCURACIES.items():
        trials = {}
        for seed, accuracy in enumerate(accuracies):
            recipe = resolve(with_values(Recipe(), {"seed": seed, "lr": lr}))
            trials[seed] = trial_id(recipe)
            record = Record(tmp_path / "runs", trials[seed])
            if (lr, seed) == (0.02, 2):
                continue
            record.write_recipe(canonical(recipe), f"lr={lr},seed={seed}")
            metrics = {"selection_acc1.raw.selected": accuracy, "test_acc1.raw.selected": accuracy}
            record.write_result({"metrics": metrics, "selected_weights": "raw"})
        cells.append({"label": f"lr={lr},{LONG}", "overrides": [f"lr={lr}"], "trials": trials})
    head = {"schema": 1, "sweep_id": "abc123", "name": "mine", "kind": "grid", "cells": cells}
    write_json(
        tmp_path / "runs" / ".sweeps" / "abc123.json", {**head, "created": "2026-01-01T00:00:00Z"}
    )
    return tmp_path


def test_status_of_a_name_shows_the_table_of_results(folder: Path) -> None:
    done = ask("status", "mine", cwd=folder)
    assert (done.code, done.err) == (0, "")
    assert "mine: 5 done, 1 planned" in done.out
    assert "91.00 ± 2.48" in done.out
    assert "2 of 3" in done.out
    assert "on the selection set, of 1 cell with all of its trials" in done.out


def test_lines_have_80_columns_and_whole_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table = ask("status", "mine", cwd=folder).out.partition("* selected")[0]
    lines = table.splitlines()[1:]
    assert max(map(len, lines)) <= 80
    for word in LONG.split(","):
        assert any(word in line for line in lines), word
    assert all("\x1b" not in line for line in lines)


def test_the_numbers_are_in_the_json_of_a_named_sweep_only(folder: Path) -> None:
    (named,) = json.loads(ask("status", "mine", "--json", cwd=folder).out)
    assert [cell["done"] for cell in named["cells"]] == [3, 2]
    assert named["cells"][1]["delta"] == 2.0
    (listed,) = json.loads(ask("status", "--json", cwd=folder).out)
    assert "cells" not in listed


def test_a_result_without_numbers_leaves_the_cell_without_a_mean(folder: Path) -> None:
    (named,) = json.loads(ask("status", "mine", "--json", cwd=folder).out)
    assert named["cells"][0]["test_acc1"] == 91.0
    manifest = json.loads((folder / "runs/.sweeps/abc123.json").read_text())
    damaged = Record(folder / "runs", manifest["cells"][0]["trials"]["0"])
    damaged.write_result({"metrics": {}})
    (named,) = json.loads(ask("status", "mine", "--json", cwd=folder).out)
    assert named["cells"][0]["test_acc1"] is None


def test_the_table_at_the_end_of_a_sweep_is_that_of_status(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    machine = Machine(runs=str(folder / "runs"))
    planned = [
        PlannedTrial(Cell(f"lr={lr},{LONG}", (f"lr={lr}",)), TrialSpec(recipe, machine))
        for lr in ACCURACIES
        for seed in range(3)
        for recipe in [resolve(with_values(Recipe(), {"seed": seed, "lr": lr}))]
    ]
    states = dict.fromkeys((plan.trial_id for plan in planned), TrialState.DONE)
    states[planned[-1].trial_id] = TrialState.QUEUED
    with redirect_stdout(io.StringIO()) as printed:
        show_table(Sweep("mine", "grid", planned), {planned[0].trial_id}, states)
    shown = ask("status", "mine", cwd=folder).out.splitlines()
    lines = printed.getvalue().splitlines()
    assert lines[2 : 2 + len(shown) - 1] == shown[1:]
    assert "trials: 4 ran, 1 done already, 1 queued" in lines
