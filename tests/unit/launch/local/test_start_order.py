"""Local trials start by decreasing length, equal ones in the order of the sweep."""

from dataclasses import replace
from itertools import permutations
from typing import Any

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.config.worker_spec import WorkerSpec
from clip_hparam.launch.local.start_order import longest_first

RESOLVED = {
    "resolution": 32,
    "ema_decay": 0.9,
    "augment_backend": "tensor",
    "mix_pairs": "adjacent",
    "encoder.pixels": "clip",
    "encoder.weights": "ab" * 32,
    "data.fingerprint": "cd" * 32,
    "data.epoch_images": 100,
}
SPEC = TrialSpec(with_values(Recipe(), RESOLVED), Machine(device="cpu"))


def with_knobs(**knobs: Any) -> TrialSpec:
    return replace(SPEC, recipe=with_values(SPEC.recipe, knobs))


def test_more_epochs_and_more_pixels_start_first() -> None:
    short, larger, long = with_knobs(), with_knobs(resolution=48), with_knobs(epochs=90)
    for specs in permutations((short, larger, long)):
        assert longest_first(specs) == [long, larger, short]


def test_trials_of_equal_length_keep_their_order() -> None:
    specs = [with_knobs(seed=seed, lr=lr) for seed in (3, 1, 2) for lr in (1e-3, 1e-2)]
    assert longest_first(specs) == specs


def test_workers_of_a_search_keep_their_order() -> None:
    unresolved = TrialSpec(Recipe(), Machine(device="cpu"))
    workers = [WorkerSpec(unresolved, f".sweeps/x/worker_{number}") for number in range(3)]
    assert longest_first(workers) == workers
