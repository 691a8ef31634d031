"""The forkserver loads one compiled model per shape, on a CPU with one thread."""

from dataclasses import replace
from typing import Any

import pytest

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.config.worker_spec import WorkerSpec
from clip_hparam.launch.local.traced_trials import MAX_TRACED, trials_to_trace

SPEC = TrialSpec(Recipe(), Machine(device="cpu", compile="on"))


def with_knobs(**knobs: Any) -> TrialSpec:
    return replace(SPEC, recipe=with_values(SPEC.recipe, knobs))


def test_seeds_and_learning_rates_share_a_model() -> None:
    cells = [with_knobs(seed=seed, lr=lr) for seed in range(3) for lr in (1e-3, 1e-2)]
    assert trials_to_trace(cells) == cells[:1]


@pytest.mark.parametrize(
    "knobs", [{"batch_size": 10}, {"drop_path": 0.1}, {"precision": "bf16"}, {"pool": "cls"}]
)
def test_another_shape_is_another_model(knobs: dict[str, Any]) -> None:
    cells = [SPEC, with_knobs(**knobs)]
    assert trials_to_trace(cells) == cells


def test_the_number_of_models_is_limited() -> None:
    cells = [with_knobs(batch_size=25 * size) for size in range(1, 10)]
    assert trials_to_trace(cells) == cells[:MAX_TRACED]


def test_trials_that_cannot_share_a_model_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    eager = replace(SPEC, machine=replace(SPEC.machine, compile="off"))
    on_gpu = replace(SPEC, machine=replace(SPEC.machine, device="auto"))
    worker = WorkerSpec(SPEC, ".sweeps/x/worker_0")
    threaded = replace(
        SPEC,
        recipe=with_values(SPEC.recipe, {"encoder.name": "ViT-B-16"}),
        machine=replace(SPEC.machine, threads=8),
    )
    assert trials_to_trace([eager, on_gpu, worker, threaded]) == []
