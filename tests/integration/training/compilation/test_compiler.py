"""A trial records whether it was compiled, keeps that, and runs eager without a compiler."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import Record
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.compilation import compiler, modules
from clip_hparam.training.trial import run_trial

KNOBS = {"epochs": 1, "data.epoch_images": 100, "data.selection": 2.0, "warmup": 0.0}
WHY_NOT = compiler.why_not
BROKEN = RuntimeError("\n  the linker is broken\nmore")


@pytest.fixture(autouse=True)
def _small_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trace without generating code, which takes minutes, and forget what was found out."""
    monkeypatch.setenv(compiler.CACHE_VARIABLE, str(tmp_path / "inductor"))
    monkeypatch.setattr(modules, "BACKEND", "eager")
    WHY_NOT.cache_clear()
    yield
    WHY_NOT.cache_clear()
    torch._dynamo.reset()


def spec_of(folder: Path, compile_: str) -> TrialSpec:
    machine = Machine(runs=str(folder), device="cpu", compile=compile_)
    return TrialSpec(resolve(with_values(Recipe(), KNOBS)), machine)


def compiled(spec: TrialSpec, *callbacks: TrialCallback) -> Any:
    run_trial(spec, callbacks)
    return Record(spec.machine.runs, spec.trial_id).status()["numerics"]["compile"]


class StopAfterOneStep(TrialCallback):
    def __init__(self) -> None:
        self.steps = 0

    def on_step(self, step: int, steps: int) -> None:
        self.steps = step

    def should_stop(self) -> bool:
        return self.steps > 0


@pytest.mark.parametrize(("value", "expected"), [("on", True), ("off", False), ("auto", False)])
def test_a_trial_records_whether_it_is_compiled(
    value: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "why_not", lambda device: "")
    torch._dynamo.utils.counters.clear()
    spec = spec_of(tmp_path, value)
    assert compiled(spec) is expected
    assert (torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0) is expected
    assert Record(tmp_path, spec.trial_id).result()["numerics"]["compile"] is expected


@pytest.mark.parametrize(("first", "second"), [("on", "off"), ("off", "on")])
def test_a_resume_keeps_the_choice_and_logs_it(
    first: str,
    second: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(compiler, "why_not", lambda device: "")
    spec = spec_of(tmp_path, first)
    assert compiled(spec, StopAfterOneStep()) is (first == "on")
    other = replace(spec, machine=replace(spec.machine, compile=second))
    assert compiled(other) is (first == "on")
    assert caplog.text.count(f"machine.compile={second} has no effect: the trial began") == 1


def test_without_a_compiler_a_trial_runs_eager_and_logs_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert compiled(spec_of(tmp_path, "on")) is False
    (sentence,) = (record.message for record in caplog.records if "compile" in record.message)
    assert sentence == (
        "machine.compile=on has no effect: there is no compiler (no-such-compiler); the trial runs"
        " eager"
    )


def test_a_compiled_trial_continues_eager_without_a_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(tmp_path, "on")
    with monkeypatch.context() as patch:
        patch.setattr(compiler, "why_not", lambda device: "")
        assert compiled(spec, StopAfterOneStep()) is True
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert compiled(spec) is False
    attempts = Record(tmp_path, spec.trial_id).status()["numerics_of_attempts"]
    assert [attempt["compile"] for attempt in attempts] == [True, False]


def test_a_compiler_that_fails_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(function: Any) -> Any:
        raise BROKEN

    monkeypatch.setattr(compiler, "missing_compiler", lambda on_gpu: "")
    monkeypatch.setattr(torch, "compile", fail)
    assert compiler.why_not("cpu") == "the compiler failed (RuntimeError: the linker is broken)"
