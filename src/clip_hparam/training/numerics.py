"""Select the device of a trial, and record what its floating-point results depend on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import torch

from clip_hparam.config.knob import AUTO
from clip_hparam.config.machine import DEFAULT_KERNELS, Machine
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.model.architectures import encoder_spec, patch_grid, shape_of
from clip_hparam.model.kernels.attention import SDPA, best_attention
from clip_hparam.model.kernels.block import REFERENCE
from clip_hparam.planning.compilation import ON
from clip_hparam.planning.device_names import processor_name
from clip_hparam.training.compilation.compiler import checked_compile

TF32_CAPABILITY = (8, 0)  # of NVIDIA's Ampere, the first generation with TF32


class UnsupportedMachineError(ValueError):
    """The device or the precision that the user asked for does not exist on this machine."""


@dataclass(frozen=True)
class Numerics:
    """What floating-point results depend on besides the recipe.

    Recorded with each attempt, as they are; a resume keeps threads, attention, kernels and compile.
    attention: kernel of attention, "sdpa" or "explicit".
    kernels: modules of the tower, "reference" or "fused"; trials before these had "reference".
    matmul_precision: of fp32 matrix products on a GPU, as torch names it: "highest" is fp32, "high"
        is TF32; convolutions have the same. Trials from before this field had "highest".
    micro_batch: images of a rank in a forward pass; 0: all. Trials from before this field have 0.
    """

    device: str
    device_name: str
    threads: int
    attention: str
    compile: bool
    deterministic: bool
    ranks: int = 1
    kernels: str = REFERENCE
    matmul_precision: str = "highest"
    micro_batch: int = 0

    def apply(self) -> None:
        """Set torch's number of threads and its precision of fp32 products, of this process."""
        torch.set_num_threads(self.threads)
        torch.set_float32_matmul_precision(self.matmul_precision)
        torch.backends.cudnn.allow_tf32 = self.matmul_precision == "high"

    @property
    def kernel_choice(self) -> "KernelChoice":
        return KernelChoice(self.kernels, self.attention, self.compile)


class KernelChoice(NamedTuple):
    """Modules of a tower, and whether they are compiled: the fields of Numerics by name."""

    kernels: str
    attention: str
    compile: bool = False


def choose_kernels(
    machine: Machine, device: torch.device, precision: str, tokens: int
) -> KernelChoice:
    """Return the kernels of a new trial. tokens: class and patch tokens of an image.

    machine.compile=auto, which a sweep resolves, is eager here.
    """
    kernels = DEFAULT_KERNELS if machine.kernels == AUTO else machine.kernels
    is_reference = kernels == REFERENCE  # nn.MultiheadAttention calls SDPA
    attention = SDPA if is_reference else best_attention(device.type, precision, tokens)
    return KernelChoice(kernels, attention, checked_compile(machine.compile == ON, device.type))


def device_of(machine: Machine, local_rank: int = 0) -> torch.device:
    """Return the device of a rank of this computer.

    A scheduler may expose one GPU to each rank, which is then device 0 of every rank.
    Raises: UnsupportedMachineError if `machine.device` names a GPU and torch sees none.
    """
    if machine.device in ("auto", "cuda") and torch.cuda.is_available():
        return torch.device("cuda", local_rank % torch.cuda.device_count())
    if machine.device == "auto":
        return torch.device("cpu")
    if machine.device.startswith("cuda") and not torch.cuda.is_available():
        raise UnsupportedMachineError(
            f"machine.device={machine.device}, but torch sees no GPU: try machine.device=cpu"
        )
    return torch.device(machine.device)


def numerics_of(recipe: ResolvedRecipe, machine: Machine) -> Numerics:
    """Return the Numerics of a new trial on this machine.

    Raises: UnsupportedMachineError if the device lacks `recipe.precision`.
    """
    device = device_of(machine)
    check_precision(recipe.precision, device)
    tokens = 1 + patch_grid(recipe.resolution, shape_of(recipe.encoder.name).patch) ** 2
    choice = choose_kernels(machine, device, recipe.precision, tokens)
    return Numerics(
        device=device.type,
        device_name=_device_name(device),
        threads=encoder_spec(recipe.encoder.name).threads or machine.threads,
        attention=choice.attention,
        compile=choice.compile,
        deterministic=torch.are_deterministic_algorithms_enabled(),
        kernels=choice.kernels,
        matmul_precision=matmul_precision_of(recipe.precision),
    )


def keep_choices(numerics: Numerics, first: Numerics) -> Numerics:
    """Return the Numerics of a resume: this machine, with the choices of the first attempt."""
    return replace(
        numerics,
        threads=first.threads,
        attention=first.attention,
        kernels=first.kernels,
        compile=first.compile and (numerics.compile or checked_compile(True, numerics.device)),
    )


def read_numerics(status: Mapping[str, Any]) -> list[Numerics]:
    """Return the Numerics of the attempts that differ, in their order, from status.json.

    Empty for a trial without an attempt. Fields that are newer than the record get their default.
    """
    recorded = status.get("numerics_of_attempts") or [status.get("numerics")]
    return [Numerics(**values) for values in recorded if values]


def numerics_facts(attempts: Sequence[Numerics]) -> dict[str, Any]:
    """Return what status.json and result.json hold of the attempts.

    `numerics` are those of the last one. Where attempts differ, it also has `changes`, by which
    tables mark the row, and `numerics_of_attempts` lists them.
    """
    changed = [one for one, before in zip(attempts[1:], attempts, strict=False) if one != before]
    last = asdict(attempts[-1])
    if not changed:
        return {"numerics": last}
    return {
        "numerics": {**last, "changes": len(changed)},
        "numerics_of_attempts": [asdict(one) for one in (attempts[0], *changed)],
    }


def matmul_precision_of(precision: str) -> str:
    """Return torch's name for the precision of fp32 products in a trial with this precision."""
    return "high" if precision == "tf32" else "highest"


def check_precision(precision: str, device: torch.device) -> None:
    """Raise UnsupportedMachineError if the device does not compute in this precision."""
    on_gpu = device.type == "cuda"
    if precision == "tf32" and not (
        on_gpu and torch.cuda.get_device_capability(device) >= TF32_CAPABILITY
    ):
        raise UnsupportedMachineError(
            "precision=tf32 needs a GPU of compute capability 8.0 or newer, and this trial runs on"
            f" {_device_name(device)}: try precision=fp32"
        )
    if precision == "bf16" and on_gpu and not torch.cuda.is_bf16_supported(False):
        raise UnsupportedMachineError(
            f"precision=bf16 is not supported by {_device_name(device)}: try precision=fp16"
        )


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name()
