"""One optimiser step, one epoch of training, one evaluation: plain loops over tensors."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from clip_hparam.data.batches import Batches
from clip_hparam.distributed import SINGLE_PROCESS, DistributedContext
from clip_hparam.model.classifier import Classifier
from clip_hparam.planning.memory import MemoryEstimate
from clip_hparam.records.metrics import accuracy_percent
from clip_hparam.rng import uniform
from clip_hparam.training.callbacks.base import NO_CALLBACK, TrialCallback
from clip_hparam.training.compilation.modules import run_eagerly
from clip_hparam.training.memory.recovery import step_within_memory
from clip_hparam.training.optim.adamw import FlatAdamW
from clip_hparam.training.optim.ema import WeightEma
from clip_hparam.training.optim.flat_parameters import FlatParameters
from clip_hparam.training.ranks.replica import Replica

AUTOCAST_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
LOSS_CHECK_INTERVAL_STEPS = 20  # a GPU would stall if the loss were read after each step


class DivergedError(ArithmeticError):
    """The loss is no longer a finite number."""


class StoppedError(RuntimeError):
    """A callback stopped the trial between two batches."""


@dataclass
class TrainState:
    """A model in training, with all that an optimiser step needs.

    weights: the parameters that are trained.
    schedule: base learning rate at each step, shape (steps,); a parameter group multiplies it by
    its lr_scale.
    micro_batch: images of this rank per forward pass; 0 for the whole batch. It is halved after an
        out-of-memory error.
    smallest_micro_batch: 2 if rows of a batch are mixed in pairs.
    predict_memory: returns the memory on a GPU.
    replica: calls the model and averages its gradients over the ranks.
    """

    model: Classifier
    replica: Replica
    weights: FlatParameters
    ema: WeightEma | None
    optimizer: FlatAdamW
    scaler: torch.amp.GradScaler
    schedule: NDArray[np.float64]
    device: torch.device
    predict_memory: Callable[[], MemoryEstimate]
    precision: str = "fp32"
    clip_grad: float = 0.0
    micro_batch: int = 0
    context: DistributedContext = SINGLE_PROCESS
    smallest_micro_batch: int = 1

    @property
    def eval_models(self) -> dict[str, nn.Module]:
        """The models to evaluate: "raw", then "ema" if the trial has an EMA."""
        return {"raw": self.model} | ({} if self.ema is None else {"ema": self.ema.module})

    @property
    def flat_weights(self) -> dict[str, Tensor]:
        """The trained weights of each of `eval_models`: a flat tensor, of which they are views."""
        average = {} if self.ema is None else {"ema": self.ema.average}
        return {"raw": self.weights.values} | average

    @property
    def reported_weights(self) -> str:
        """The weights whose accuracy is reported: "ema" if the trial has an EMA, else "raw"."""
        return "raw" if self.ema is None else "ema"

    def autocast(self) -> AbstractContextManager[None]:
        dtype = AUTOCAST_DTYPES.get(self.precision)
        return nullcontext() if dtype is None else torch.autocast(self.device.type, dtype)


@dataclass(frozen=True)
class EvalResult:
    """Accuracies in percent, the mean cross-entropy, and for each image whether it is correct."""

    acc1: float
    acc5: float
    loss: float
    top1_correct: NDArray[np.bool_]
    top5_correct: NDArray[np.bool_]


def train_step(
    state: TrainState, step: int, images: Tensor, targets: Tensor, drop_draws: Tensor | None = None
) -> Tensor:
    """Do one optimiser step on a whole batch and return its mean loss.

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
    paths = state.model.drop_paths
    for start in range(0, batch, size):
        rows, last = slice(start, start + size), start + size >= batch
        for column, path in enumerate(paths):
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
    has_drop_path = bool(state.model.drop_paths)
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
    paths, batch = len(state.model.drop_paths), rows * state.context.world_size
    draws = uniform(seed, epoch, "drop_path", batches.draws, paths)[: batches.steps * batch]
    own = draws.reshape(batches.steps, batch, paths)[:, state.context.batch_rows(batch)]
    return torch.tensor(own).to(state.device, non_blocking=True)


def evaluate(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    state: TrainState,
    allowed_classes: Tensor | None = None,
) -> EvalResult:
    """Return the accuracies and the cross-entropy of one model, as `evaluate_models` does."""
    return evaluate_models({"": model}, batches, state, allowed_classes)[""]


@torch.no_grad()
def evaluate_models(
    models: Mapping[str, nn.Module],
    batches: Iterable[tuple[Tensor, Tensor]],
    state: TrainState,
    allowed_classes: Tensor | None = None,
) -> dict[str, EvalResult]:
    """Return the accuracies and the cross-entropy of each model, without label smoothing.

    Each image is read once for all models, and nothing is read from the device before the end.
    batches: this rank's shard of the images and labels; the result is of all ranks, in order.
    allowed_classes: bool, shape (classes,); the only classes that the models may predict.
    """
    was_training = {name: model.training for name, model in models.items()}
    parts: dict[str, list[tuple[Tensor, Tensor, Tensor]]] = {name: [] for name in models}
    for model in models.values():
        model.eval()
    if allowed_classes is not None:
        allowed_classes = allowed_classes.to(state.device)
    for images, labels in batches:
        on_device = images.to(state.device, non_blocking=True)
        labels = labels.to(state.device, non_blocking=True)
        for name, model in models.items():
            with state.autocast(), run_eagerly():  # the last batch is smaller
                logits = model(on_device).float()
            if allowed_classes is not None:
                logits = logits.masked_fill(~allowed_classes, -math.inf)
            top = logits.topk(min(5, logits.shape[1])).indices == labels[:, None]
            image_losses = F.cross_entropy(logits, labels, reduction="none")
            parts[name].append((image_losses, top[:, 0], top.any(dim=1)))
    for name, model in models.items():
        model.train(was_training[name])
    return {
        name: _eval_result(state.context.all_gather([_on_cpu(part) for part in own]))
        for name, own in parts.items()
    }


def _on_cpu(part: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    losses, top1, top5 = part
    return losses.cpu(), top1.cpu(), top5.cpu()


def _eval_result(parts: list[tuple[Tensor, Tensor, Tensor]]) -> EvalResult:
    """Return the result of all images from losses, top-1 and top-5 hits of each batch."""
    losses, top1, top5 = map(torch.cat, zip(*parts, strict=True))
    acc1, acc5 = (accuracy_percent(int(hits.sum()), len(hits)) for hits in (top1, top5))
    return EvalResult(acc1, acc5, float(losses.mean()), top1.numpy(), top5.numpy())


def until_stopped(
    batches: Iterable[tuple[Tensor, Tensor]], callback: TrialCallback
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches, and ask the callback after each.

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
