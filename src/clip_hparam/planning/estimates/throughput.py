"""Seconds of a trial by arithmetic: floating-point operations over a stated throughput.

A training step costs three forward passes, and a multiply-add two operations. The share of the
peak that training reaches is taken from published runs, so evaluation and data loading are in it.
"""

from dataclasses import dataclass

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.config.steps import total_steps
from clip_hparam.planning.estimates.flops import multiply_adds

OPERATIONS_PER_MULTIPLY_ADD = 2
FORWARD_PASSES_PER_STEP = 3  # one forward, and a backward that costs two


@dataclass(frozen=True)
class Device:
    """A GPU: its dense peak in half precision (TFLOP/s), the share that training reaches, why."""

    peak_tflops: float
    reached: float
    source: str


DEVICES = {
    "V100": Device(125, 0.20, "148.9 hours of the baseline in Fig. 1 of arXiv 2212.06138"),
    "A100": Device(312, 0.14, "43.6 GPU-hours of the published log CLIP_B16"),
    "H100": Device(989, 0.21, "arithmetic over the memory traffic of a step, not measured"),
    "H200": Device(989, 0.21, "as H100, not measured"),
}
"""Options of machine.device_name."""


def describe_device(name: str) -> str:
    """Return a sentence that states the assumption behind a prediction for a device."""
    device = DEVICES[name]
    return (
        f"predicted for machine.device_name={name} by arithmetic: training reaches"
        f" {100 * device.reached:.0f} % of {device.peak_tflops:.0f} TFLOP/s (from {device.source});"
        " several GPUs are assumed to add their full speed"
    )


def operations(recipe: ResolvedRecipe) -> float:
    """Return the floating-point operations of the training steps of a trial, without its head."""
    per_image = OPERATIONS_PER_MULTIPLY_ADD * multiply_adds(recipe, classes=0)
    images = total_steps(recipe) * recipe.batch_size
    return float(FORWARD_PASSES_PER_STEP * per_image * images)


def gpu_seconds(recipe: ResolvedRecipe, device: Device) -> float:
    """Return the seconds of one device that the training of a trial takes."""
    return operations(recipe) / (device.peak_tflops * 1e12 * device.reached)
