"""The machine and the settings for which a measured cost is valid."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from clip_hparam.config.knob import AUTO
from clip_hparam.config.machine import DEFAULT_KERNELS
from clip_hparam.config.trial_spec import TrialSpec

FIRST_KERNELS = "reference"  # trials from before Numerics had kernels


class CostKey(NamedTuple):
    """What the seconds of an image depend on besides the encoder, the data and the resolution.

    device_name: of the CPU or the GPU; "" if unknown.
    ranks: processes of the trial, one a GPU.
    """

    device_name: str
    ranks: int
    precision: str
    kernels: str
    compile: bool

    def __str__(self) -> str:
        ranks = f", {self.ranks} ranks" if self.ranks > 1 else ""
        compiled = ", compiled" if self.compile else ""
        name = self.device_name or "unknown device"
        return f"{name}{ranks}, {self.precision}, {self.kernels} kernels{compiled}"


def key_of_spec(spec: TrialSpec, device_name: str) -> CostKey:
    """Return the key of a trial that is to run on a device; `machine.compile` is resolved."""
    machine = spec.machine
    return CostKey(
        device_name=device_name,
        ranks=spec.gpus_per_trial,
        precision=spec.recipe.precision,
        kernels=DEFAULT_KERNELS if machine.kernels == AUTO else machine.kernels,
        compile=machine.compile == "on",
    )


def key_of_numerics(numerics: Mapping[str, Any], precision: str) -> CostKey | None:
    """Return the key of a finished trial; None if its attempts ran with different numerics."""
    if numerics.get("changes"):
        return None
    return CostKey(
        device_name=numerics.get("device_name", ""),
        ranks=numerics.get("ranks", 1),
        precision=precision,
        kernels=numerics.get("kernels", FIRST_KERNELS),
        compile=numerics.get("compile", False),
    )
