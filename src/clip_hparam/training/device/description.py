"""The line of the log about the device and the numerics of an attempt."""

import torch

from clip_hparam.config.knob import AUTO
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.text.count import counted
from clip_hparam.planning.gpus import hidden_gpu_reason
from clip_hparam.training.device.numerics import Numerics


def describe_attempt(
    recipe: Recipe, numerics: Numerics, micro_batch: int, loader_workers: int
) -> str:
    """Return one line: device, ranks, precision, kernels, micro-batch and loader workers.

    micro_batch: images of a rank per forward pass; 0 for all of its batch.
    loader_workers: processes of a rank that read images.
    """
    ranks = numerics.ranks
    share = recipe.batch_size // ranks
    each = " a rank" if ranks > 1 else ""
    threads = f", {counted(numerics.threads, 'thread')}" if numerics.device == "cpu" else ""
    parts = [
        f"{numerics.device_name} ({numerics.device}{threads}), {counted(ranks, 'rank')}",
        f"precision {recipe.precision}",
        f"{numerics.kernels} kernels with {numerics.attention} attention"
        + ", compiled" * numerics.compile
        + ", deterministic" * numerics.deterministic,
        f"batch {recipe.batch_size} in micro-batches of {micro_batch or share}{each}",
        f"{counted(loader_workers, 'loader worker')}{each}",
    ]
    return "machine: " + "; ".join(parts)


def hidden_gpu_warning(machine: Machine, device: torch.device) -> str | None:
    """Return a sentence if machine.device=auto is the CPU of a computer with a GPU, else None."""
    if machine.device != AUTO or device.type != "cpu":
        return None
    reason = hidden_gpu_reason()
    return reason and f"machine.device=auto is the CPU: {reason}"
