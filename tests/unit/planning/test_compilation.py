"""machine.compile=auto: one choice for all trials, by seconds saved against seconds spent."""

from dataclasses import replace
from pathlib import Path

import pytest

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning import compilation
from clip_hparam.planning.compilation import choose_compile, missing_compiler, resolve_compile
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import Record

RECIPE = resolve(with_values(Recipe(), {"data.selection": 10, "data.epoch_images": 500}))


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrialSpec:
    monkeypatch.setattr(compilation, "missing_compiler", lambda on_gpu: "")
    return TrialSpec(RECIPE, Machine(runs=str(tmp_path), device="cpu"))


def trials(spec: TrialSpec, epochs: int, seeds: int) -> list[TrialSpec]:
    return [
        replace(spec, recipe=with_values(RECIPE, {"epochs": epochs, "seed": seed}))
        for seed in range(seeds)
    ]


def test_only_trials_that_are_long_together_are_compiled(spec: TrialSpec) -> None:
    short = choose_compile(trials(spec, 20, 2), on_gpu=False, is_local=True)
    assert (short.compile, short.is_obvious) == (False, True)
    assert short.reason.startswith("the trials run eager: by arithmetic the training steps take")
    together = choose_compile(trials(spec, 20, 1000), on_gpu=False, is_local=True)
    assert (together.compile, together.is_obvious) == (True, False)
    alone = choose_compile(trials(spec, 20_000, 1), on_gpu=False, is_local=True)
    assert alone.compile
    assert "would save" in alone.reason


def test_cells_of_different_length_get_the_same_choice(spec: TrialSpec) -> None:
    cells = [*trials(spec, 1, 1), *trials(spec, 20_000, 1)]
    choice = choose_compile(cells, on_gpu=False, is_local=True)
    assert [resolve_compile(cell, choice).machine.compile for cell in cells] == ["on", "on"]


def test_each_process_of_a_gpu_pays_for_its_compilation(spec: TrialSpec) -> None:
    longest, pays = trials(spec, 2_000_000, 1), trials(spec, 20_000, 100)
    assert choose_compile(longest, on_gpu=True, is_local=False).compile
    assert not choose_compile(pays, on_gpu=True, is_local=False).compile


def test_a_missing_compiler_counts_only_here(
    spec: TrialSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        compilation, "missing_compiler", lambda on_gpu: "there is no compiler (g++)"
    )
    long = trials(spec, 20_000, 1)
    here = choose_compile(long, on_gpu=False, is_local=True)
    assert not here.compile
    assert here.reason.startswith("the trials run eager: there is no compiler (g++) (by arithmetic")
    assert choose_compile(long, on_gpu=False, is_local=False).compile


@pytest.mark.parametrize("value", ["on", "off"])
def test_a_given_value_stays(value: str, spec: TrialSpec) -> None:
    given = replace(spec, machine=replace(spec.machine, compile=value))
    choice = choose_compile([given], on_gpu=False, is_local=True)
    assert choice.is_obvious
    assert resolve_compile(given, choice) == given


@pytest.mark.parametrize("compiled", [True, False])
def test_a_sweep_keeps_what_its_first_recorded_trial_did(compiled: bool, spec: TrialSpec) -> None:
    short, long = trials(spec, 20, 3), trials(spec, 20_000, 3)
    cells = short if compiled else long
    record = Record(spec.machine.runs, cells[1].trial_id)
    record.write_status("done", numerics={"compile": compiled})
    choice = choose_compile(cells, on_gpu=False, is_local=True)
    assert choice.compile is compiled
    assert record.trial_id in choice.reason


def test_first_attempt_of_a_resumed_trial_counts(spec: TrialSpec) -> None:
    attempts = [{"compile": True}, {"compile": False}]
    (trial,) = trials(spec, 20, 1)
    Record(spec.machine.runs, trial.trial_id).write_status(
        "done", numerics=attempts[-1], numerics_of_attempts=attempts
    )
    assert choose_compile([trial], on_gpu=False, is_local=True).compile


def test_compiler_of_a_cpu_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "Python.h").touch()
    monkeypatch.setattr(compilation.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert missing_compiler(on_gpu=False) == "there is no compiler (no-such-compiler)"
    monkeypatch.setenv("CXX", "true")
    assert missing_compiler(on_gpu=False) == ""
    (tmp_path / "Python.h").unlink()
    assert missing_compiler(on_gpu=False) == "the headers of Python (Python.h) are not installed"


def test_triton_and_a_compiler_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "true")
    monkeypatch.setattr(compilation, "find_spec", lambda name: None)
    assert missing_compiler(on_gpu=True) == "triton is not installed"
    monkeypatch.setattr(compilation, "find_spec", lambda name: object())
    assert missing_compiler(on_gpu=True) == ""
    monkeypatch.setenv("CC", "no-such-compiler")
    assert missing_compiler(on_gpu=True) == "there is no compiler (no-such-compiler)"
