"""Select the device of a trial, and record settings that influence floating-point results."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
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

BUCKETS = "buckets"
TF32_CAPABILITY = (8, 0)  # NVIDIA's Ampere, the first generation with TF32


class UnsupportedMachineError(ValueError):
    """The device or the precision that the user asked for does not exist on this machine."""


@dataclass(frozen=True)
class Numerics:
    """Settings that influence floating-point results, besides the recipe.

    Each attempt records its own values. A resumed attempt keeps threads, attention, kernels and
    compile of the first.

    attention: kernel of attention, "sdpa" or "explicit".
    kernels: modules of the tower, "reference" or "fused"; trials before these had "reference".
    matmul_precision: of fp32 matrix products on a GPU, as torch names it: "highest" is fp32, "high"
        is TF32; convolutions have the same. Trials from before this field had "highest".
    micro_batch: images of a rank in a forward pass; 0: all. Trials from before this field have 0.
    deterministic: whether torch was confined to deterministic algorithms (machine.deterministic).
    gradients: how three ranks or more average them: "buckets", in DistributedDataParallel. Empty,
        and not recorded, for fewer ranks and for trials from before this field, whose ranks added
        all gradients at once. A sum of two has the same bits either way.
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
    gradients: str = ""

    def with_ranks(self, ranks: int) -> "Numerics":
        """Return the Numerics of a trial in this number of processes."""
        return replace(self, ranks=ranks, gradients=BUCKETS if ranks > 2 else "")

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
    Raises: UnsupportedMachineError if `machine.device` names a GPU that torch does not see.
    """
    if machine.device in ("auto", "cuda") and torch.cuda.is_available():
        return torch.device("cuda", local_rank % torch.cuda.device_count())
    if machine.device == "auto":
        return torch.device("cpu")
    device = torch.device(machine.device)
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= count:
        raise UnsupportedMachineError(
            f"machine.device={machine.device}, but torch sees"
            f" {f'{count} GPUs' if count else 'no GPU'}: try machine.device=cpu, or auto"
        )
    return device


def numerics_of(recipe: ResolvedRecipe, machine: Machine, local_rank: int = 0) -> Numerics:
    """Return the Numerics of a new trial on the device of a rank of this computer.

    Raises: UnsupportedMachineError if the device lacks `recipe.precision`.
    """
    device = device_of(machine, local_rank)
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
    known = {field.name for field in fields(Numerics)}
    return [
        Numerics(**{name: value for name, value in values.items() if name in known})
        for values in recorded
        if values
    ]


def numerics_facts(attempts: Sequence[Numerics]) -> dict[str, Any]:
    """Return the facts about all attempts for status.json and result.json.

    `numerics` are those of the last one. Where attempts differ, it also has `changes`, by which
    tables mark the row, and `numerics_of_attempts` lists them.
    """
    changed = [new for new, before in zip(attempts[1:], attempts, strict=False) if new != before]
    last = _recorded(attempts[-1])
    if not changed:
        return {"numerics": last}
    return {
        "numerics": {**last, "changes": len(changed)},
        "numerics_of_attempts": [_recorded(numerics) for numerics in (attempts[0], *changed)],
    }


def _recorded(numerics: Numerics) -> dict[str, Any]:
    """Return the fields that a record holds; trials of one or two ranks keep their columns."""
    values = asdict(numerics)
    return {name: value for name, value in values.items() if (name, value) != ("gradients", "")}


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
