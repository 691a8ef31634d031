"""Training on the device against training on the CPU in fp32: the tiny CLIP, a few steps."""

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from clip_hparam.training.compilation.compiler import why_not
from clip_hparam.training.engine import train_step
from clip_hparam.training.train_state import TrainState
from gpu_checks.check import (
    Finding,
    Setup,
    Task,
    failed,
    largest_difference,
    not_applicable,
    passed,
    within,
)
from gpu_checks.inputs import draw_batch, state_of, tiny_recipe

STEPS, BATCH, MICRO_BATCH = 4, 16, 4
CPU = torch.device("cpu")
LIMITS = {"fp32": 1e-4, "tf32": 2e-2, "bf16": 2e-2, "fp16": 2e-2}
AVERAGE_LIMIT = 1e-6
CLIP = 0.1
HUGE_SCALE = 2.0**40  # of the loss; gradients in fp16 are then infinite


def train(
    device: torch.device, settings: Sequence[tuple[str, Any]], **knobs: Any
) -> tuple[float, ...]:
    """Train a few steps with drop-path and EMA, and return their losses."""
    state = state_of(tiny_recipe(**knobs), device, **dict(settings))
    losses = [
        train_step(state, step, *_batch(device, step), _draws(state)) for step in range(STEPS)
    ]
    return tuple(float(loss) for loss in losses)


@cache
def reference(clip_grad: float = 0.0) -> tuple[float, ...]:
    """Return the losses in fp32 on the CPU."""
    return train(CPU, (), clip_grad=clip_grad)


def compare_losses(
    setup: Setup, precision: str, settings: Sequence[tuple[str, Any]] = (), **knobs: Any
) -> Finding:
    """Compare the loss of each step with the CPU's in fp32."""
    ours = train(setup.device, settings, precision=precision, **knobs)
    theirs = reference(knobs.get("clip_grad", 0.0))
    largest = largest_difference(ours, theirs)
    return within("largest relative difference of a loss", largest, LIMITS[precision])


def compare_average(setup: Setup) -> Finding:
    """Compare the EMA on the device with that of the same weights in float64 on the CPU."""
    recipe = tiny_recipe()
    state = state_of(recipe, setup.device)
    assert state.ema is not None
    expected = state.weights.values.cpu().double()
    for step in range(STEPS):
        train_step(state, step, *_batch(setup.device, step), _draws(state))
        expected.lerp_(state.weights.values.cpu().double(), 1 - recipe.ema_decay)
    difference = (state.ema.average.cpu().double() - expected).abs().max()
    return within("largest difference of a weight", float(difference), AVERAGE_LIMIT)


def compare_compiled(setup: Setup) -> Finding:
    """Compare the losses of compiled steps with the CPU's in fp32."""
    if not setup.on_gpu:
        return not_applicable("the tests compare compiled steps on a CPU")
    if reason := why_not(setup.device.type):
        return not_applicable(reason)
    return compare_losses(setup, "fp32", (("compile", "on"),))


def overflow(setup: Setup) -> Finding:
    """See that a step whose gradients overflow changes no weight and halves the loss scale."""
    state = state_of(tiny_recipe(precision="fp16"), setup.device)
    state.scaler = torch.amp.GradScaler(
        setup.device.type, init_scale=HUGE_SCALE, growth_interval=100
    )
    before = state.weights.values.clone()
    train_step(state, 0, *_batch(setup.device, 0), _draws(state))
    figures = {"scale after": state.scaler.get_scale(), "steps": float(state.optimizer.steps_done)}
    if not torch.equal(state.weights.values, before) or figures["steps"]:
        return failed("a step with infinite gradients changed the weights", **figures)
    if figures["scale after"] != HUGE_SCALE / 2:
        return failed("the loss scale was not halved", **figures)
    return passed("the step is skipped and the loss scale halved", **figures)


def _batch(device: torch.device, step: int) -> tuple[Tensor, Tensor]:
    return draw_batch(BATCH, 32, 10, device, seed=step)


def _draws(state: TrainState) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    draws = torch.rand(BATCH, len(state.model.drop_paths), generator=generator)
    return draws.to(state.device)


TASKS = (
    *(Task(f"numerics: {name}", 4, partial(compare_losses, precision=name)) for name in LIMITS),
    Task(
        "numerics: micro-batches",
        4,
        partial(compare_losses, precision="fp32", settings=(("micro_batch", MICRO_BATCH),)),
    ),
    Task("numerics: clipping", 4, partial(compare_losses, precision="fp32", clip_grad=CLIP)),
    Task("numerics: EMA", 4, compare_average),
    Task("numerics: overflow", 4, overflow),
    Task("numerics: compiled", 40, compare_compiled),
)
