"""Micro-batches by memory: chosen for a card, halved after an out-of-memory error, recorded."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support.multiprocess import in_ranks
from torch import Tensor

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.distributed import SINGLE_PROCESS, DistributedContext
from clip_hparam.model.classifier import Classifier
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import Record
from clip_hparam.training.engine import train_step
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.memory import micro_batch as module
from clip_hparam.training.memory.micro_batch import DeviceMemoryError, choose_micro_batch
from clip_hparam.training.memory.recovery import smaller_micro_batch, step_within_memory
from clip_hparam.training.trial import run_trial

RECIPE = {"batch_size": 20, "epochs": 2, "data.epoch_images": 60, "data.selection": 2.0}
RECIPE |= {"warmup": 0.0, "drop_path": 0.3, "ema_decay": 0.9, "clip_grad": 0.5}
GPU = torch.device("cuda:0")


def recipe_of(**knobs: Any) -> Any:
    return resolve(with_values(Recipe(), {**RECIPE, **knobs}))


def memory_of(images: int, patch: pytest.MonkeyPatch) -> list[int]:
    """Raise OutOfMemoryError for a training forward pass of more images; return all sizes."""
    sizes: list[int] = []
    forward = Classifier.forward

    def limited(model: Classifier, pixels: Tensor) -> Tensor:
        if model.training:
            sizes.append(len(pixels))
            if len(pixels) > images:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nmore")
        return forward(model, pixels)

    patch.setattr(Classifier, "forward", limited)
    return sizes


def trial_spec(runs: Path, micro_batch: int | str = "auto", **knobs: Any) -> TrialSpec:
    machine = Machine(runs=str(runs), device="cpu", micro_batch=micro_batch)
    return TrialSpec(recipe_of(**knobs), machine, keep_checkpoints="last")


def weights_of(spec: TrialSpec) -> bytes:
    return (Record(spec.machine.runs, spec.trial_id).folder / "last.safetensors").read_bytes()


def test_halved_micro_batch_is_recorded_and_has_the_bits_of_a_requested_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = trial_spec(tmp_path / "asked", micro_batch=5)
    assert run_trial(asked).state == "done"
    sizes = memory_of(6, monkeypatch)
    halved = trial_spec(tmp_path / "halved")
    outcome = run_trial(halved)
    assert outcome.state == "done"
    assert sizes == [20, 10, *[5] * 4 * 6]
    assert weights_of(halved) == weights_of(asked)
    assert outcome.result is not None
    assert [one["micro_batch"] for one in outcome.result["numerics_of_attempts"]] == [0, 5]
    assert outcome.result["numerics"]["changes"] == 1
    assert [
        record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING
    ] == [
        "out of memory with 20 images at once: the step is done again with 10",
        "out of memory with 10 images at once: the step is done again with 5",
    ]


def test_error_in_a_later_micro_batch_leaves_no_gradient_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = recipe_of(drop_path=0.0)
    states = [
        create_train_state(
            recipe, Machine(device="cpu", micro_batch=size), create_model(recipe, 10)
        )
        for size in (10, 5)
    ]
    images, targets = torch.randn(20, 3, 32, 32), torch.eye(10).repeat(2, 1)
    forward, calls = Classifier.forward, 0

    def second_fails(model: Classifier, pixels: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise torch.OutOfMemoryError("out of memory")
        return forward(model, pixels)

    failing, whole = states
    monkeypatch.setattr(Classifier, "forward", second_fails)
    loss = step_within_memory(failing, 20, lambda: train_step(failing, 0, images, targets))
    assert torch.equal(loss, train_step(whole, 0, images, targets))
    assert torch.equal(failing.weights.values, whole.weights.values)
    assert failing.micro_batch == 5


@pytest.mark.parametrize(("mixup", "smallest"), [(0.0, 1), (0.8, 2)])
def test_smallest_micro_batch_that_fails_is_one_sentence(
    mixup: float, smallest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = memory_of(0, monkeypatch)
    spec = trial_spec(tmp_path, mixup=mixup)
    outcome = run_trial(spec)
    assert outcome.state == "failed"
    assert sizes == ([20, 10, 5, 2, 1] if smallest == 1 else [20, 10, 4, 2])
    failure = Record(spec.machine.runs, spec.trial_id).failure()
    assert failure is not None
    assert "traceback" not in failure
    message = failure["message"]
    assert message.startswith(f"out of memory: the trial trains {smallest} image")
    assert "GB by prediction (" in message
    assert message.endswith(
        "(CUDA out of memory. Tried to allocate 2 GiB): try machine.activation_checkpointing=true,"
        " a device with more memory"
    )


def test_resume_keeps_the_halved_micro_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = trial_spec(tmp_path)
    record = Record(spec.machine.runs, spec.trial_id)
    with monkeypatch.context() as patch:
        memory_of(6, patch)
        assert run_trial(spec).state == "done"
    (record.folder / "result.json").unlink()
    sizes = memory_of(100, monkeypatch)
    assert run_trial(spec).state == "done"
    assert set(sizes) == {5}


def fail_in_ranks(context: DistributedContext) -> str:
    recipe = recipe_of()
    state = create_train_state(recipe, Machine(device="cpu"), create_model(recipe, 10), context)

    def fail() -> Tensor:
        raise torch.OutOfMemoryError("out of memory")

    try:
        step_within_memory(state, 10, fail)
    except DeviceMemoryError as error:
        return str(error)
    return ""


def test_ranks_do_not_retry_and_name_the_micro_batch_to_type() -> None:
    for message in in_ranks(2, fail_in_ranks):
        assert message.startswith("out of memory: the trial trains 10 images at once in each of 2")
        assert "try machine.micro_batch=10, machine.activation" in message


def test_error_after_the_update_began_is_not_retried() -> None:
    recipe = recipe_of()
    state = create_train_state(recipe, Machine(device="cpu"), create_model(recipe, 10))

    def fail_in_update() -> Tensor:
        state.optimizer.updates += 1
        raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(DeviceMemoryError, match=r"try machine\.micro_batch=10, "):
        step_within_memory(state, 20, fail_in_update)


@pytest.mark.parametrize(
    ("rows", "size", "smallest", "expected"),
    [
        (64, 64, 1, 32),
        (60, 15, 1, 6),
        (60, 60, 2, 30),
        (60, 30, 2, 12),
        (7, 7, 1, 1),
        (7, 1, 1, None),
        (60, 2, 2, None),
    ],
)
def test_smaller_micro_batch_divides_the_rows(
    rows: int, size: int, smallest: int, expected: int | None
) -> None:
    assert smaller_micro_batch(rows, size, smallest) == expected


def card(patch: pytest.MonkeyPatch, free: float) -> None:
    """Simulate a card with so many bytes free of 80 GB."""
    patch.setattr(module.torch.cuda, "mem_get_info", lambda device: (int(free), 80 * 10**9))
    patch.setattr(module.torch.cuda, "memory_reserved", lambda device: 10**6)
    patch.setattr(module.torch.cuda, "memory_allocated", lambda device: 10**6)
    patch.setattr(module.torch.cuda, "get_device_name", lambda device: "NVIDIA A100")


def test_auto_fits_the_free_memory_of_a_gpu_and_is_all_on_a_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe, machine = recipe_of(), Machine()
    card(monkeypatch, 70e9)
    assert choose_micro_batch(recipe, machine, GPU, 10) == 0
    card(monkeypatch, 13.5e6)
    assert choose_micro_batch(recipe, machine, GPU, 10) == 10
    assert choose_micro_batch(recipe, replace(machine, micro_batch=4), GPU, 10) == 4
    assert choose_micro_batch(recipe, replace(machine, micro_batch=20), GPU, 10) == 0
    assert choose_micro_batch(recipe, machine, torch.device("cpu"), 10) == 0


def test_full_gpu_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    card(monkeypatch, 5e6)
    with pytest.raises(DeviceMemoryError) as error:
        choose_micro_batch(recipe_of(), Machine(), GPU, 10, SINGLE_PROCESS)
    assert str(error.value).startswith(
        "NVIDIA A100 has 0.005 GB free of 80, and this trial needs 0.0"
    )
    assert "machine.device=cuda:N" in str(error.value)


@pytest.mark.parametrize("kernels", ["reference", "fused"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_activation_checkpointing_has_the_same_bits(kernels: str, precision: str) -> None:
    recipe = recipe_of(precision=precision)
    losses, weights = [], []
    images, targets = torch.randn(20, 3, 32, 32), torch.eye(10).repeat(2, 1)
    for checkpointing in (False, True):
        machine = Machine(
            device="cpu", kernels=kernels, micro_batch=10, activation_checkpointing=checkpointing
        )
        state = create_train_state(recipe, machine, create_model(recipe, 10))
        state.model.train()
        draws = torch.rand(
            20, len(state.model.drop_paths), generator=torch.Generator().manual_seed(1)
        )
        losses.append([train_step(state, step, images, targets, draws) for step in range(3)])
        weights.append(state.weights.values)
    assert losses[0] == losses[1]
    assert torch.equal(*weights)
