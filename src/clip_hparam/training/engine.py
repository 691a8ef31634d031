"""One optimiser step, one epoch of training, one evaluation: plain loops over tensors."""

import math
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn

from clip_hparam.data.batches import Batches
from clip_hparam.distributed import SINGLE_PROCESS, DistributedContext
from clip_hparam.model.classifier import Classifier
from clip_hparam.rng import uniform

AUTOCAST_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
LOSS_CHECK_INTERVAL_STEPS = (
    20  # steps between looks at the loss, which would stall a GPU if read each step
)


class DivergedError(ArithmeticError):
    """The loss is no longer a finite number."""


@dataclass(frozen=True)
class TrainState:
    """A model in training; `schedule` is the base lr at each step, groups multiply it.

    `micro_batch` is this rank's.
    """

    model: Classifier
    ema: ModelEmaV3 | None
    optimizer: torch.optim.AdamW
    scaler: torch.amp.GradScaler
    schedule: NDArray[np.float64]
    device: torch.device
    precision: str = "fp32"
    clip_grad: float = 0.0
    micro_batch: int = 0
    ranks: DistributedContext = SINGLE_PROCESS

    def autocast(self) -> AbstractContextManager[None]:
        return torch.autocast(
            self.device.type, AUTOCAST_DTYPES[self.precision], enabled=self.precision != "fp32"
        )


@dataclass(frozen=True)
class EvalResult:
    """Accuracies in percent, mean cross-entropy, and whether each image was right."""

    acc1: float
    acc5: float
    loss: float
    top1_correct: NDArray[np.bool_]
    top5_correct: NDArray[np.bool_]


def train_step(
    fit: TrainState, step: int, images: Tensor, targets: Tensor, drop_draws: Tensor | None = None
) -> Tensor:
    """One optimiser step on the whole batch, micro-batch by micro-batch; the mean loss.

    Given are this rank's rows of the batch. `targets` are soft, (rows, classes); `drop_draws`
    (rows, drop-path modules) are uniform.
    """
    for group in fit.optimizer.param_groups:
        group["lr"] = float(fit.schedule[step]) * group["lr_scale"]
    batch = len(images)
    size = fit.micro_batch or batch
    total = torch.zeros((), device=fit.device)
    for start in range(0, batch, size):
        rows = slice(start, start + size)
        for column, path in enumerate(fit.model.drop_paths):
            path.draws = None if drop_draws is None else drop_draws[rows, column].to(fit.device)
        with fit.autocast():
            logits = fit.model(images[rows].to(fit.device, non_blocking=True))
            part = targets[rows].to(fit.device, non_blocking=True)
            loss = F.cross_entropy(logits, part) * (len(part) / batch)
        fit.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        total = total + loss.detach()
    gradients = [p.grad for p in fit.model.parameters() if p.grad is not None]
    fit.ranks.all_reduce_mean([*gradients, total])
    if fit.clip_grad:
        fit.scaler.unscale_(fit.optimizer)
        torch.nn.utils.clip_grad_norm_(fit.model.parameters(), fit.clip_grad)
    fit.scaler.step(fit.optimizer)
    fit.scaler.update()
    fit.optimizer.zero_grad(set_to_none=True)
    if fit.ema is not None:
        fit.ema.update(fit.model)
    return total


def train_epoch(
    fit: TrainState,
    batches: Batches,
    index: int,
    seed: int,
    on_step: Callable[[int], None],
    losses: list[Tensor] | None = None,
) -> float:
    """Mean training loss of one epoch. Raises DivergedError with the step if it is not finite.

    `losses` are those of the steps that were done already; each further step adds its own.
    """
    losses = [] if losses is None else losses
    fit.model.train()
    paths = len(fit.model.drop_paths)
    table = uniform(seed, index, "drop_path", batches.draws, paths) if paths else None
    for step, (images, targets) in enumerate(batches.train(index, len(losses)), len(losses)):
        batch = len(images) * fit.ranks.world_size
        draws = None
        if table is not None:
            drawn = table[step * batch : (step + 1) * batch]
            draws = torch.from_numpy(drawn[fit.ranks.batch_rows(batch)])
        losses.append(train_step(fit, index * batches.steps + step, images, targets, draws))
        if (step + 1) % LOSS_CHECK_INTERVAL_STEPS == 0 or step + 1 == batches.steps:
            _check_finite(losses, index * batches.steps)
        on_step(index * batches.steps + step + 1)
    return float(torch.stack(losses).mean())


@torch.no_grad()
def evaluate(
    model: torch.nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    fit: TrainState,
    among: Tensor | None = None,
) -> EvalResult:
    """Plain cross-entropy and top-1 and top-5 accuracy, each image once.

    `batches` are those that were dealt to this rank; the scores are of all, in order. `among`,
    bool (classes,): the classes that an answer may be, where images show only some.
    """
    was_training = model.training
    model.eval()
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    for images, labels in batches:
        with fit.autocast():
            logits = model(images.to(fit.device)).float().cpu()
        if among is not None:
            logits = logits.masked_fill(~among, -math.inf)
        top = logits.topk(min(5, logits.shape[1])).indices == labels[:, None]
        loss_of_each = F.cross_entropy(logits, labels, reduction="none")
        parts.append((loss_of_each, top[:, 0], top.any(dim=1)))
    model.train(was_training)
    losses, first, five = map(torch.cat, zip(*fit.ranks.all_gather(parts), strict=True))
    percent = 100.0 / len(first)
    acc1, acc5 = percent * int(first.sum()), percent * int(five.sum())
    return EvalResult(acc1, acc5, float(losses.mean()), first.numpy(), five.numpy())


def _check_finite(losses: list[Tensor], first_step: int) -> None:
    values = torch.stack(losses[-LOSS_CHECK_INTERVAL_STEPS:]).tolist()
    for offset, value in enumerate(values):
        if not math.isfinite(value):
            step = first_step + len(losses) - len(values) + offset
            raise DivergedError(f"diverged at step {step}: the loss is {value}; try a smaller lr")


def eval_models(fit: TrainState) -> dict[str, nn.Module]:
    """What is evaluated: "raw", and "ema" where there is one."""
    return {"raw": fit.model} if fit.ema is None else {"raw": fit.model, "ema": fit.ema.module}
