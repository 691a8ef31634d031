"""A sweep and a search decide once whether their trials are compiled."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import Cell
from clip_hparam.planning import compilation
from clip_hparam.planning.resolve import resolve
from clip_hparam.sweep.compilation import with_compile_choice
from clip_hparam.sweep.sweep import PlannedTrial, Sweep

LOCAL: Any = SimpleNamespace(survives_driver=False)
RECIPE = resolve(with_values(Recipe(), {"data.selection": 10, "data.epoch_images": 500}))


def sweep_of(folder: Path, *epochs: int, compile_: str = "auto") -> Sweep:
    machine = Machine(runs=str(folder), device="cpu", compile=compile_)
    specs = [TrialSpec(with_values(RECIPE, {"epochs": number}), machine) for number in epochs]
    cells = [Cell(f"epochs={number}", (f"epochs={number}",)) for number in epochs]
    return Sweep("x", "grid", list(map(PlannedTrial, cells, specs)), notes=("a note",))


@pytest.fixture(autouse=True)
def _with_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "missing_compiler", lambda on_gpu: "")


def test_all_cells_of_a_long_sweep_are_compiled_under_the_same_id(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, 1, 20_000)
    chosen, choice = with_compile_choice(sweep, LOCAL)
    assert [spec.machine.compile for spec in chosen.specs.values()] == ["on", "on"]
    assert (chosen.id, list(chosen.specs)) == (sweep.id, list(sweep.specs))
    assert chosen.notes == ("a note", choice.reason)
    assert choice.reason.startswith("the trials are compiled: by arithmetic")


def test_a_short_sweep_runs_eager_and_its_plan_has_no_further_line(tmp_path: Path) -> None:
    chosen, _ = with_compile_choice(sweep_of(tmp_path, 1, 20), LOCAL)
    assert [spec.machine.compile for spec in chosen.specs.values()] == ["off", "off"]
    assert chosen.notes == ("a note",)


def test_a_given_value_is_kept(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, 1, 20, compile_="on")
    assert with_compile_choice(sweep, LOCAL)[0] == replace(sweep, planned=list(sweep.planned))
