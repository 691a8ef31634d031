"""One optimizer step and one epoch of training."""

import math
from collections.abc import Iterable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from clip_hparam.data.batches import Batches
from clip_hparam.rng import uniform
from clip_hparam.training.callbacks.base import NO_CALLBACK, TrialCallback
from clip_hparam.training.memory.recovery import step_within_memory
from clip_hparam.training.train_state import TrainState

LOSS_CHECK_INTERVAL_STEPS = 20  # a GPU would stall if the loss were read after each step


class DivergedError(ArithmeticError):
    """The loss is no longer a finite number."""


class StoppedError(RuntimeError):
    """A callback stopped the trial between two batches."""


def train_step(
    state: TrainState, step: int, images: Tensor, targets: Tensor, drop_draws: Tensor | None = None
) -> Tensor:
    """Do one optimizer step on a whole batch and return its mean loss.

    The host does not wait for the device: the loss stays on it.
    images, targets, drop_draws: this rank's rows of the batch. targets are soft, shape
    (rows, classes); drop_draws are uniform in [0, 1), shape (rows, drop-path modules), on the
    device.
    """
    for group in state.optimizer.param_groups:
        group["lr"] = float(state.schedule[step]) * group["lr_scale"]
    batch = len(images)
    size = state.micro_batch or batch
    total = torch.zeros((), device=state.device)
    for start in range(0, batch, size):
        rows, last = slice(start, start + size), start + size >= batch
        for column, path in enumerate(state.drop_paths):
            path.draws = None if drop_draws is None else drop_draws[rows, column]
        with state.replica.micro_batch(last):
            with state.autocast():
                logits = state.replica(images[rows].to(state.device, non_blocking=True))
                part = targets[rows].to(state.device, non_blocking=True)
                loss = F.cross_entropy(logits, part) * (len(part) / batch)
            total = total + loss.detach()
            state.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    state.context.all_reduce_mean(total)
    gradients = state.weights.pop_gradients()
    state.optimizer.set_gradients(gradients)
    if state.clip_grad:
        state.scaler.unscale_(state.optimizer)
        state.optimizer.clip_gradients(gradients, state.clip_grad)
    state.scaler.step(state.optimizer)
    state.scaler.update()
    state.optimizer.zero_grad(set_to_none=True)
    if state.ema is not None:
        state.ema.update()
    return total


def train_epoch(
    state: TrainState,
    batches: Batches,
    epoch: int,
    seed: int,
    callback: TrialCallback = NO_CALLBACK,
    losses: list[Tensor] | None = None,
) -> float:
    """Train one epoch and return its mean loss.

    losses: the loss of each step of this epoch that was done by an earlier attempt; each further
    step appends its own, so the length is the number of steps done.

    Raises:
        StoppedError: the callback stopped the epoch, after a step.
        DivergedError: a loss is not finite; the message has the step.
    """
    losses = [] if losses is None else losses
    state.model.train()
    has_drop_path = bool(state.drop_paths)
    table: Tensor | None = None
    read = until_stopped(batches.train(epoch, len(losses)), callback)
    for step, (images, targets) in enumerate(read, len(losses)):
        if has_drop_path and table is None:
            table = drop_path_draws(state, batches, epoch, seed, len(images))
        draws = None if table is None else table[step]
        at, data = epoch * batches.steps + step, (images, targets, draws)
        losses.append(step_within_memory(state, len(images), partial(train_step, state, at, *data)))
        if (step + 1) % LOSS_CHECK_INTERVAL_STEPS == 0 or step + 1 == batches.steps:
            state.context.wait_for_all()  # names a lost rank before the host waits for its device
            _check_finite(losses, epoch * batches.steps)
        callback.on_step(epoch * batches.steps + step + 1, len(state.schedule))
    return float(torch.stack(losses).mean())


def drop_path_draws(
    state: TrainState, batches: Batches, epoch: int, seed: int, rows: int
) -> Tensor:
    """Return the draws of an epoch on the device, shape (steps, rows, drop-path modules).

    rows: of this rank in a batch. One copy for an epoch, since each one waits for the device.
    """
    paths, batch = len(state.drop_paths), rows * state.context.world_size
    draws = uniform(seed, epoch, "drop_path", batches.draws, paths)[: batches.steps * batch]
    own = draws.reshape(batches.steps, batch, paths)[:, state.context.batch_rows(batch)]
    return torch.tensor(own).to(state.device, non_blocking=True)


def until_stopped(
    batches: Iterable[tuple[Tensor, Tensor]], callback: TrialCallback
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches, and call the callback after each.

    Raises: StoppedError if the callback stops the trial, also in place of the error of a loader
    whose processes were ended by the same signal.
    """
    reader = iter(batches)
    while True:
        try:
            batch = next(reader, None)
        except RuntimeError:
            if callback.should_stop():
                raise StoppedError from None
            raise
        if batch is None:
            return
        yield batch
        if callback.should_stop():
            raise StoppedError


def _check_finite(losses: list[Tensor], first_step: int) -> None:
    values = torch.stack(losses[-LOSS_CHECK_INTERVAL_STEPS:]).tolist()
    for offset, value in enumerate(values):
        if not math.isfinite(value):
            step = first_step + len(losses) - len(values) + offset
            raise DivergedError(f"diverged at step {step}: the loss is {value}; try a smaller lr")


def refuse_nan(step: int, selection_losses: Iterable[float]) -> None:
    """Raise DivergedError if the weights after a step give NaN, which training no longer shows."""
    if any(map(math.isnan, selection_losses)):
        raise DivergedError(
            f"diverged at step {step}: the loss of the selection set is nan; try a smaller lr"
        )
