"""Select the device of a trial, and record what its floating-point results depend on."""

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from clip_hparam.config.knob import AUTO
from clip_hparam.config.machine import Machine
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.model.architectures import encoder_spec, patch_grid, shape_of
from clip_hparam.model.kernels.attention import SDPA, best_attention
from clip_hparam.model.kernels.block import REFERENCE

DEFAULT_KERNELS = REFERENCE  # of machine.kernels=auto


@dataclass(frozen=True)
class Numerics:
    """What floating-point results depend on besides the recipe.

    Recorded with each attempt; a resumed trial keeps the values of its first attempt.
    attention: kernel of attention, "sdpa" or "explicit".
    kernels: modules of the tower, "reference" or "fused"; trials before these had "reference".
    """

    device: str
    device_name: str
    threads: int
    attention: str
    compile: bool
    deterministic: bool
    ranks: int = 1
    kernels: str = REFERENCE


class KernelChoice(NamedTuple):
    """Modules of a tower: the fields of Numerics with these names."""

    kernels: str
    attention: str


def choose_kernels(
    machine: Machine, device: torch.device, precision: str, tokens: int
) -> KernelChoice:
    """Return the kernels of a new trial. tokens: class and patch tokens of an image."""
    kernels = DEFAULT_KERNELS if machine.kernels == AUTO else machine.kernels
    if kernels == REFERENCE:
        return KernelChoice(kernels, SDPA)  # what nn.MultiheadAttention calls
    return KernelChoice(kernels, best_attention(device.type, precision, tokens))


def device_of(machine: Machine, local_rank: int = 0) -> torch.device:
    """Return the device of a rank of this computer.

    A scheduler may expose one GPU to each rank, which is then device 0 of every rank.
    Raises: ValueError if `machine.device` names a GPU and torch sees none.
    """
    if machine.device in ("auto", "cuda") and torch.cuda.is_available():
        return torch.device("cuda", local_rank % torch.cuda.device_count())
    if machine.device == "auto":
        return torch.device("cpu")
    if machine.device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(
            f"machine.device={machine.device}, but torch sees no GPU: try machine.device=cpu"
        )
    return torch.device(machine.device)


def numerics_of(recipe: ResolvedRecipe, machine: Machine) -> Numerics:
    """Return the Numerics of a new trial on this machine."""
    device = device_of(machine)
    tokens = 1 + patch_grid(recipe.resolution, shape_of(recipe.encoder.name).patch) ** 2
    kernels, attention = choose_kernels(machine, device, recipe.precision, tokens)
    on_gpu = device.type == "cuda"
    return Numerics(
        device=device.type,
        device_name=torch.cuda.get_device_name(device) if on_gpu else _processor_name(),
        threads=encoder_spec(recipe.encoder.name).threads or machine.threads,
        attention=attention,
        compile=False,
        deterministic=torch.are_deterministic_algorithms_enabled(),
        kernels=kernels,
    )


def _processor_name() -> str:
    """Return the model name of the CPU from /proc/cpuinfo, else what `platform` knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
