"""The log of an attempt begins with the machine that computes."""

from dataclasses import replace

import pytest
import torch

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe
from clip_hparam.training.device import description
from clip_hparam.training.device.description import describe_attempt, hidden_gpu_warning
from clip_hparam.training.device.numerics import Numerics

HERE = Numerics("cpu", "Xeon", 1, "explicit", False, False, 1, "fused")
GPU = replace(HERE, device="cuda", device_name="H100", attention="sdpa", ranks=8)


def test_one_process_on_a_cpu() -> None:
    assert describe_attempt(Recipe(batch_size=50), HERE, 0, 0) == (
        "machine: Xeon (cpu, 1 thread), 1 rank; precision fp32; fused kernels with explicit"
        " attention; batch 50 in micro-batches of 50; 0 loader workers"
    )


def test_ranks_on_gpus_with_all_options() -> None:
    recipe = Recipe(batch_size=2048, precision="bf16")
    there = replace(GPU, compile=True, deterministic=True)
    assert describe_attempt(recipe, there, 32, 1) == (
        "machine: H100 (cuda), 8 ranks; precision bf16; fused kernels with sdpa attention,"
        " compiled, deterministic; batch 2048 in micro-batches of 32 a rank; 1 loader worker a rank"
    )


def test_micro_batch_is_the_share_of_a_rank() -> None:
    line = describe_attempt(Recipe(batch_size=2048), GPU, 0, 0)
    assert "batch 2048 in micro-batches of 256 a rank" in line


@pytest.mark.parametrize(
    ("device", "used", "warned"),
    [("auto", "cpu", True), ("cpu", "cpu", False), ("auto", "cuda", False)],
)
def test_auto_that_misses_a_gpu_warns(
    monkeypatch: pytest.MonkeyPatch, device: str, used: str, warned: bool
) -> None:
    monkeypatch.setattr(description, "hidden_gpu_reason", lambda: "no driver is loaded")
    warning = hidden_gpu_warning(Machine(device=device), torch.device(used))
    sentence = "machine.device=auto is the CPU: no driver is loaded"
    assert warning == (sentence if warned else None)
    monkeypatch.setattr(description, "hidden_gpu_reason", lambda: None)
    assert hidden_gpu_warning(Machine(), torch.device("cpu")) is None
