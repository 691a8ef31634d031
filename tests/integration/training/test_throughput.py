"""The probe does the work of one rank, and its clock runs between two idle states of the device."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.estimates.cost_key import key_of_spec
from clip_hparam.planning.resolve import resolve
from clip_hparam.training import throughput
from clip_hparam.training.throughput import measure_throughput, synchronize, time_steps

KNOBS = {"batch_size": 48, "data.epoch_images": 96, "data.selection": 4.0, "epochs": 2}


def spec_of(**options: Any) -> TrialSpec:
    return TrialSpec(resolve(with_values(Recipe(), KNOBS)), Machine(device="cpu"), **options)


def measured_rows(spec: TrialSpec, patch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """Return rows, micro-batch and world size of each step that the probe does."""
    seen: list[tuple[int, int, int]] = []
    step = throughput.train_step

    def spy(state: Any, number: int, images: Tensor, targets: Tensor) -> Tensor:
        seen.append((len(images), state.micro_batch, state.context.world_size))
        return step(state, number, images, targets)

    patch.setattr(throughput, "train_step", spy)
    cost = measure_throughput(spec.to_dict())
    assert cost.key == key_of_spec(spec, cost.key.device_name)
    assert cost.key.device_name
    return seen


def test_probe_trains_the_rows_of_one_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_of(gpus_per_trial=4)
    spec = replace(spec, machine=replace(spec.machine, micro_batch=24))
    assert set(measured_rows(spec, monkeypatch)) == {(12, 6, 1)}


def test_probe_of_one_rank_trains_whole_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(measured_rows(spec_of(), monkeypatch)) == {(48, 0, 1)}


@pytest.mark.parametrize(("workers", "dropped"), [(0, 0), (3, 6)])
def test_clock_starts_on_an_idle_gpu_without_a_batch_at_hand(
    workers: int, dropped: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            events.append("read")
            yield torch.zeros(1), torch.zeros(1)

    def clock() -> float:
        events.append("clock")
        return 12.0 * events.count("clock")

    monkeypatch.setattr(throughput, "train_step", lambda *_: events.append("step"))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: events.append(f"wait {device}"))
    monkeypatch.setattr(throughput, "time", SimpleNamespace(monotonic=clock))
    state: Any = SimpleNamespace(device=torch.device("cuda", 1))
    assert time_steps(state, batches(), workers) == pytest.approx(4.0)
    step = ["read", "step"]
    assert events == [
        *step, "wait cuda:1", *["read"] * dropped, "clock", *step * 3, "wait cuda:1", "clock"
    ]  # fmt: skip


def test_synchronize_leaves_cuda_alone_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: pytest.fail("CUDA was touched"))
    synchronize(torch.device("cpu"))
