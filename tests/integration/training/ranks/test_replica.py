"""Gradients are averaged once a step, in buckets that a resume does not change."""

import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from support.float64_trial import CLASSES, RECIPE, Doubled, weights
from support.multiprocess import in_ranks

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.data.digits import load_digits
from clip_hparam.distributed import DistributedContext
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.checkpoints import checkpoint
from clip_hparam.training.checkpoints.content import restore_checkpoint
from clip_hparam.training.checkpoints.progress import Progress
from clip_hparam.training.checkpoints.writer import CheckpointWriter
from clip_hparam.training.engine import train_epoch, train_step
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.train_state import TrainState


def created(context: DistributedContext, **knobs: Any) -> tuple[TrainState, Doubled]:
    recipe = resolve(with_values(Recipe(), {**RECIPE, **knobs}))
    model = create_model(recipe, CLASSES).double()
    state = create_train_state(recipe, Machine(device="cpu"), model, context)
    return state, Doubled(recipe, load_digits(), context=context)


def accumulate(context: DistributedContext) -> tuple[Any, Any, int]:
    """Return the gradient after the first and after the last of two micro-batches."""
    state, _ = created(context)
    before = context.connection.collectives
    seen = []
    for last in (False, True):
        images = torch.full((2, 3, 32, 32), 0.5 + context.rank, dtype=torch.float64)
        with state.replica.micro_batch(last):
            state.replica(images).pow(2).sum().backward()
        seen.append(
            torch.cat([one.grad.flatten().clone() for one in state.weights.parameters]).numpy()
        )
    return seen[0], seen[1], context.connection.collectives - before


def test_gradients_are_averaged_after_the_last_micro_batch_only() -> None:
    (one, mean, exchanges), (other, same, _) = in_ranks(2, accumulate)
    assert exchanges == 1
    assert not np.array_equal(one, other)
    assert np.array_equal(mean, same)
    np.testing.assert_allclose(mean, one + other, rtol=0, atol=1e-10)


def resumed_and_uninterrupted(context: DistributedContext) -> tuple[Any, Any]:
    """Return the weights of a run of two epochs, and of one that was resumed after the first."""
    state, batches = created(context)
    train_epoch(state, batches, 0, 0)
    with TemporaryDirectory() as name:
        folder = Path(name)
        with CheckpointWriter(folder, math.inf, state, Progress(), batches.steps) as writer:
            writer.save_now()
        saved, _ = checkpoint.load(folder)
    assert saved is not None
    train_epoch(state, batches, 1, 0)
    resumed, _ = created(context)
    restore_checkpoint(resumed, saved)
    train_epoch(resumed, batches, 1, 0)
    return weights(state.model), weights(resumed.model)


def test_resumed_run_of_three_ranks_ends_in_the_same_bits() -> None:
    for uninterrupted, resumed in in_ranks(3, resumed_and_uninterrupted):
        assert (uninterrupted == resumed).all()


@pytest.mark.parametrize("freeze", ["first_2", "backbone"])
def test_frozen_parameters_are_not_exchanged(freeze: str) -> None:
    one, other = in_ranks(2, train_frozen, freeze)
    assert one == other
    frozen, moved = one
    assert frozen
    assert moved


def train_frozen(context: DistributedContext, freeze: str) -> tuple[bool, bool]:
    """Return whether frozen weights stayed and the others moved."""
    state, batches = created(context, freeze=freeze)
    frozen = [one for one in state.model.parameters() if not one.requires_grad]
    before = [one.clone() for one in frozen]
    start = state.weights.values.clone()
    train_epoch(state, batches, 0, 0)
    stayed = bool(frozen) and all(map(torch.equal, before, frozen))
    return stayed, not torch.equal(start, state.weights.values)


def overflow(context: DistributedContext) -> list[float]:
    """Return the loss scale and whether weights changed, after a step with an inf in rank 1."""
    state, batches = created(context, precision="fp16")
    before = state.weights.values.clone()
    images, targets = next(iter(batches.train(0)))
    if context.rank == 1:
        images = images * torch.inf
    train_step(state, 0, images, targets)
    changed = float(not torch.equal(before, state.weights.values))
    return [state.scaler.get_scale(), changed]


def test_overflow_in_one_rank_skips_the_step_in_all() -> None:
    assert in_ranks(2, overflow) == [[64.0, 0.0]] * 2
