"""The host never waits for the GPU inside a step: CUDA raises an error where it would."""

from functools import partial

import torch

from gpu_checks.check import Finding, Setup, Task, failed, not_applicable, passed
from gpu_checks.epochs import StepClock, train_steps
from gpu_checks.inputs import folder_recipe, state_of, tiny_recipe

OPTIONS = {
    "mixup": 0.8,
    "cutmix": 1.0,
    "rand_augment": "rand-m9-mstd0.5-inc1",
    "random_erasing": 0.25,
    "color_jitter": 0.3,
    "clip_grad": 0.5,
}
WARM_UP, STEPS, MICRO_BATCH, WORKERS = 4, 10, 8, 2


class StrictSteps(StepClock):
    """Lets CUDA raise an error at each wait from the end of the warm-up on."""

    def begin(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.set_sync_debug_mode("error")

    def end(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.set_sync_debug_mode("default")


def never_waits(setup: Setup, from_files: bool) -> Finding:
    """Train ten steps with all options in which no call may wait."""
    recipe = folder_recipe(setup, "tiny", 32, **OPTIONS) if from_files else tiny_recipe(**OPTIONS)
    classes = 4 if from_files else 10
    state = state_of(recipe, setup.device, classes, micro_batch=MICRO_BATCH)
    clock = StrictSteps(setup.device, WARM_UP, STEPS)
    try:
        losses = train_steps(state, recipe, clock, WORKERS if from_files else 0)
    finally:
        if setup.on_gpu:
            torch.cuda.set_sync_debug_mode("default")
    if len(losses) != WARM_UP + STEPS or not bool(torch.stack(losses).isfinite().all()):
        return failed(f"{len(losses)} steps were done, or a loss is not finite")
    if not setup.on_gpu:
        return not_applicable("the steps run; only a GPU can be waited for", steps=STEPS)
    return passed("no call waited for the GPU", steps=STEPS)


TASKS = (
    Task("waiting: images in memory", 8, partial(never_waits, from_files=False)),
    Task("waiting: images in files", 10, partial(never_waits, from_files=True)),
)
