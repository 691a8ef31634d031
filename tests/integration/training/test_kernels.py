"""Kernels of a trial: chosen by its first attempt, recorded, and kept by each resume."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support.stopped_trial import StopAfter

from clip_hparam.config.machine import DEFAULT_KERNELS, Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import Record
from clip_hparam.training.device.numerics import choose_kernels
from clip_hparam.training.trial import run_trial

KNOBS = {"epochs": 2, "data.epoch_images": 100, "data.selection": 2.0, "warmup": 0.0, "lr": 3e-3}
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def trial_spec(runs: Path, kernels: str, **knobs: Any) -> TrialSpec:
    recipe = resolve(with_values(Recipe(), {**KNOBS, **knobs}))
    return TrialSpec(recipe, Machine(runs=str(runs), device="cpu", kernels=kernels))


def result_of(spec: TrialSpec) -> dict[str, Any]:
    result = Record(spec.machine.runs, spec.trial_id).result()
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("kernels", "precision", "attention"),
    [("reference", "bf16", "sdpa"), ("fused", "fp32", "sdpa"), ("fused", "bf16", "explicit")],
)
def test_record_names_the_kernels(
    kernels: str, precision: str, attention: str, tmp_path: Path
) -> None:
    spec = trial_spec(tmp_path, kernels, precision=precision, epochs=1)
    assert run_trial(spec).state == "done"
    numerics = result_of(spec)["numerics"]
    assert (numerics["kernels"], numerics["attention"]) == (kernels, attention)


def test_trial_id_does_not_depend_on_the_kernels(tmp_path: Path) -> None:
    ids = {trial_spec(tmp_path, kernels).trial_id for kernels in ("auto", "reference", "fused")}
    assert len(ids) == 1


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_kernels_agree_on_the_losses_of_a_trial(precision: str, tmp_path: Path) -> None:
    losses = []
    for kernels in ("reference", "fused"):
        spec = trial_spec(tmp_path / kernels, kernels, precision=precision)
        run_trial(spec)
        rows = Record(spec.machine.runs, spec.trial_id).rows()
        losses.append([row["train_loss"] for row in rows])
    assert losses[1] == pytest.approx(losses[0], rel=1e-5 if precision == "fp32" else 0.02)


@pytest.mark.parametrize(("first", "second"), [("reference", "fused"), ("fused", "reference")])
def test_resume_keeps_the_kernels_and_the_bits(first: str, second: str, tmp_path: Path) -> None:
    whole = trial_spec(tmp_path / "whole", first)
    run_trial(whole)
    spec = trial_spec(tmp_path / "resumed", first)
    assert run_trial(spec, [StopAfter(3)]).state == "queued"
    resumed = replace(spec, machine=replace(spec.machine, kernels=second))
    assert run_trial(resumed).state == "done"
    assert result_of(spec)["numerics"]["kernels"] == first
    assert result_of(spec)["metrics"] == result_of(whole)["metrics"]


def test_resume_of_a_trial_from_before_the_kernels_keeps_the_reference(tmp_path: Path) -> None:
    whole = trial_spec(tmp_path / "whole", "reference")
    run_trial(whole)
    spec = trial_spec(tmp_path / "resumed", "reference")
    assert run_trial(spec, [StopAfter(3)]).state == "queued"
    path = Record(spec.machine.runs, spec.trial_id).folder / "status.json"
    status = json.loads(path.read_text())
    del status["numerics"]["kernels"]
    path.write_text(json.dumps(status))
    assert run_trial(replace(spec, machine=replace(spec.machine, kernels="fused"))).state == "done"
    assert result_of(spec)["numerics"]["kernels"] == "reference"
    assert result_of(spec)["metrics"] == result_of(whole)["metrics"]


def test_auto_is_the_default_of_new_trials() -> None:
    assert choose_kernels(Machine(), CPU, "fp32", 17).kernels == DEFAULT_KERNELS


def test_unknown_kernels_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"machine\.kernels=flash is not one of auto, reference, fused"
    ):
        Machine(kernels="flash")


def test_resume_on_another_device_is_recorded(tmp_path: Path) -> None:
    spec = trial_spec(tmp_path, "reference")
    assert run_trial(spec, [StopAfter(3)]).state == "queued"
    path = Record(spec.machine.runs, spec.trial_id).folder / "status.json"
    status = json.loads(path.read_text())
    status["numerics"] |= {"device": "cuda", "device_name": "A100", "attention": "explicit"}
    path.write_text(json.dumps(status))
    assert run_trial(spec).state == "done"
    result = result_of(spec)
    names = [(one["device"], one["attention"]) for one in result["numerics_of_attempts"]]
    assert names == [("cuda", "explicit"), ("cpu", "explicit")]
    assert (result["numerics"]["device"], result["numerics"]["changes"]) == ("cpu", 1)


def test_resume_on_the_same_machine_records_one_numerics(tmp_path: Path) -> None:
    spec = trial_spec(tmp_path, "reference")
    assert run_trial(spec, [StopAfter(3)]).state == "queued"
    assert run_trial(spec).state == "done"
    assert "numerics_of_attempts" not in result_of(spec)
    assert "changes" not in result_of(spec)["numerics"]


def test_tf32_without_a_gpu_fails_with_one_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spec = trial_spec(tmp_path, "auto", precision="tf32")
    outcome = run_trial(spec)
    assert outcome.state == "failed"
    assert outcome.failure is not None
    message = outcome.failure["message"]
    assert message.startswith("precision=tf32 needs a GPU of compute capability 8.0 or newer, and")
    assert message.endswith(": try precision=fp32")
    assert "Traceback" not in caplog.text


def test_deterministic_attempt_is_recorded_and_a_change_is_listed(tmp_path: Path) -> None:
    spec = trial_spec(tmp_path, "reference")
    deterministic = replace(spec, machine=replace(spec.machine, deterministic=True))
    assert run_trial(deterministic, [StopAfter(3)]).state == "queued"
    assert torch.are_deterministic_algorithms_enabled()
    assert run_trial(spec).state == "done"
    assert not torch.are_deterministic_algorithms_enabled()
    result = result_of(spec)
    assert [one["deterministic"] for one in result["numerics_of_attempts"]] == [True, False]
    assert result["numerics"]["changes"] == 1
