"""Trials with low-rank updates and a logit scale resume in the same bits and keep plain weights."""

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from support.metrics_rows import rows_without_times
from support.stopped_trial import StopAfter

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.estimates.flops import trainable_and_frozen
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import Record
from clip_hparam.training.factory import create_model
from clip_hparam.training.trial import run_trial

STEPS = 3
SHORT = {"epochs": 2, "data.epoch_images": 50 * STEPS, "data.selection": 2.0, "ema_decay": 0.8}
LORA = {"tune": "lora", "layer_decay": 0.7, "clip_grad": 1.0, "drop_path": 0.1}
BOTH = {**LORA, "pool": "clip", "head_init": "zero_shot", "logit_scale": "trained"}


def trial_spec(runs: Path, **knobs: Any) -> TrialSpec:
    recipe = resolve(with_values(Recipe(), {**SHORT, **knobs}))
    return TrialSpec(recipe, Machine(runs=str(runs), device="cpu"), keep_checkpoints="best")


def content(spec: TrialSpec) -> tuple[Any, Any, bytes]:
    record = Record(spec.machine.runs, spec.trial_id)
    result = record.result()
    assert result is not None
    kept = (record.folder / "best.safetensors").read_bytes()
    return rows_without_times(record), result["metrics"], kept


@pytest.mark.parametrize("knobs", [LORA, BOTH], ids=["lora", "lora_and_scale"])
def test_a_stopped_trial_resumes_to_the_same_bits(knobs: dict[str, Any], tmp_path: Path) -> None:
    whole, parts = (trial_spec(tmp_path / name, **knobs) for name in ("whole", "parts"))
    assert run_trial(whole).state == "done"
    assert run_trial(parts, [StopAfter(STEPS + 1)]).state == "queued"
    assert run_trial(parts).state == "done"
    assert content(parts) == content(whole)


def test_kept_weights_have_the_names_of_a_plain_model(tmp_path: Path) -> None:
    spec = trial_spec(tmp_path, **BOTH)
    result = run_trial(spec).result
    assert result is not None
    kept = load_file(Record(tmp_path, spec.trial_id).folder / "best.safetensors")
    plain = create_model(spec.recipe, 10).state_dict()  # type: ignore[arg-type]
    assert {name: one.shape for name, one in kept.items()} == {
        name: one.shape for name, one in plain.items()
    }
    counts = trainable_and_frozen(spec.recipe, 10)  # type: ignore[arg-type]
    assert tuple(result["parameters"].values()) == counts
