"""Predicted against measured memory, the micro-batch that fits, and a forced shortage."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.planning.estimates.memory import predict_memory
from clip_hparam.training.engine import train_step
from clip_hparam.training.memory.micro_batch import choose_micro_batch
from clip_hparam.training.memory.recovery import step_within_memory
from clip_hparam.training.train_state import TrainState
from gpu_checks.check import Finding, Setup, Task, failed, not_applicable, passed
from gpu_checks.inputs import (
    B16,
    L14,
    NAMES,
    TINY,
    draw_batch,
    folder_recipe,
    machine_of,
    state_of,
)

CLASSES = len(NAMES)
TOLERANCE = 0.1
CASES = {"B/16 224": (B16, 224, 128), "B/16 384": (B16, 384, 64), "L/14 224": (L14, 224, 64)}
LARGE_BATCH = 4096
FORCED = (64, 0.6)  # images of the batch, and the share of them that the limit leaves room for
LOSS_LIMIT = 1e-3


def predicted(setup: Setup, case: str) -> Finding:
    """Compare the predicted memory of a step with its measured peak."""
    name, resolution, images = CASES[case] if setup.on_gpu else (TINY, 32, 8)
    recipe = folder_recipe(setup, name, resolution, precision="bf16", drop_path=0.0)
    estimate = predict_memory(recipe, machine_of(setup.device), CLASSES).total(images)
    figures = {"images": images, "predicted GB": round(estimate / 1e9, 3)}
    if not setup.on_gpu:
        return not_applicable("memory is predicted for a GPU", **figures)
    before = torch.cuda.memory_allocated(setup.device)
    state = state_of(recipe, setup.device, CLASSES)
    batch = _batch(recipe, images, setup.device)
    torch.cuda.reset_peak_memory_stats(setup.device)
    for step in range(2):
        train_step(state, step, *batch)
    torch.cuda.synchronize(setup.device)
    peak = torch.cuda.max_memory_allocated(setup.device) - before
    figures |= {"measured GB": round(peak / 1e9, 3), "ratio": round(estimate / peak, 3)}
    if abs(estimate / peak - 1) > TOLERANCE:
        return failed("the prediction is off by more than 10 %", **figures)
    return passed("the prediction holds within 10 %", **figures)


def automatic(setup: Setup) -> Finding:
    """Do a step with as many images at once as machine.micro_batch=auto chooses."""
    name, resolution, size = (B16, 224, LARGE_BATCH) if setup.on_gpu else (TINY, 32, 8)
    recipe = folder_recipe(
        setup,
        name,
        resolution,
        precision="bf16",
        drop_path=0.0,
        batch_size=size,
        **{"data.epoch_images": 2 * size},
    )
    machine = machine_of(setup.device, micro_batch="auto")
    chosen = choose_micro_batch(recipe, machine, setup.device, CLASSES)
    images = chosen or size
    if setup.on_gpu:
        torch.cuda.reset_peak_memory_stats(setup.device)
    state = state_of(recipe, setup.device, CLASSES)
    loss = train_step(state, 0, *_batch(recipe, images, setup.device))
    if not bool(loss.isfinite()):
        return failed("the loss is not finite", images=images)
    if not setup.on_gpu:
        return not_applicable("auto is the whole batch on a CPU", images=images)
    peak = torch.cuda.max_memory_allocated(setup.device) / 1e9
    return passed("a step of this size fits", images=images, **{"peak GB": round(peak, 1)})


def out_of_memory(setup: Setup) -> Finding:
    """Force an out-of-memory error, and see that the step is done again with fewer images."""
    rows, share = FORCED if setup.on_gpu else (8, 0.6)
    name, resolution = (B16, 224) if setup.on_gpu else (TINY, 32)
    recipe = folder_recipe(setup, name, resolution, precision="bf16", drop_path=0.0)
    state, batch = state_of(recipe, setup.device, CLASSES), _batch(recipe, rows, setup.device)
    with _room_for(state, recipe, int(rows * share)):
        loss = step_within_memory(state, rows, lambda: train_step(state, 0, *batch))
    size = state.micro_batch
    if not 0 < size < rows:
        return failed("no out-of-memory error was forced", **{"micro-batch": size})
    asked = state_of(recipe, setup.device, CLASSES, micro_batch=size)
    expected = float(train_step(asked, 0, *batch))
    difference = abs(float(loss) - expected) / expected
    figures = {"micro-batch": size, "images": rows, "difference of the loss": difference}
    if not difference <= LOSS_LIMIT:
        return failed("the loss is not that of the smaller micro-batch", **figures)
    return passed("the step was done again with fewer images at once", **figures)


@contextmanager
def _room_for(state: TrainState, recipe: ResolvedRecipe, images: int) -> Iterator[None]:
    """Leave memory for so many images at once; on a CPU more of them raise the error of a GPU."""
    device, model = state.device, state.model
    if device.type == "cuda":
        estimate = predict_memory(recipe, machine_of(device), CLASSES)
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(estimate.total(images) / total, device)
        try:
            yield
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0, device)
        return
    forward = model.forward

    def limited(pixels: Tensor) -> Tensor:
        if len(pixels) > images:
            raise torch.OutOfMemoryError("injected")
        return forward(pixels)

    model.forward = limited  # type: ignore[method-assign, assignment]
    yield
    del model.forward


def _batch(recipe: ResolvedRecipe, images: int, device: torch.device) -> tuple[Tensor, Tensor]:
    return draw_batch(images, recipe.resolution, CLASSES, device)


TASKS = (
    *(Task(f"memory: predicted {case}", 8, partial(predicted, case=case)) for case in CASES),
    Task("memory: micro_batch=auto", 15, automatic),
    Task("memory: out of memory", 12, out_of_memory),
)
