"""Evaluate models on a set of images."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from clip_hparam.records.metrics import accuracy_percent
from clip_hparam.training.compilation.modules import run_eagerly
from clip_hparam.training.metrics.collection import prediction_rows, to_predictions
from clip_hparam.training.metrics.predictions import UNSCALED, Predictions
from clip_hparam.training.train_state import TrainState

Part = tuple[Tensor, ...]
"""Losses, top-1 and top-5 hits of a batch; then its rows of predictions, then its logits."""


@dataclass(frozen=True)
class EvalResult:
    """Accuracies in percent, the mean cross-entropy, and for each image whether it is correct.

    predictions: None where they were not asked for. logits: on the CPU, where they are kept.
    """

    acc1: float
    acc5: float
    loss: float
    top1_correct: NDArray[np.bool_]
    top5_correct: NDArray[np.bool_]
    predictions: Predictions | None = None
    logits: Tensor | None = None


@dataclass(frozen=True)
class Detail:
    """What an evaluation keeps besides accuracy and loss: predictions, and on demand the logits.

    classes: number of classes of the logits.
    temperatures: by model, for the tempered losses; 1 for one that is not named.
    """

    classes: int
    temperatures: Mapping[str, float] = field(default_factory=dict)
    keep_logits: bool = False


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
    detail: Detail | None = None,
) -> dict[str, EvalResult]:
    """Return the accuracies and the cross-entropy of each model, without label smoothing.

    Each image is read once for all models, and nothing is read from the device before the end.
    batches: this rank's shard of the images and labels; the result is of all ranks, in order.
    allowed_classes: bool, shape (classes,); the only classes that the models may predict.
    detail: None keeps no predictions.
    """
    was_training = {name: model.training for name, model in models.items()}
    parts: dict[str, list[Part]] = {name: [] for name in models}
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
            part: Part = (image_losses, top[:, 0], top.any(dim=1))
            parts[name].append(
                part if detail is None else part + _detail(logits, labels, detail, name)
            )
    for name, model in models.items():
        model.train(was_training[name])
    return {
        name: _eval_result(state.context.all_gather([_on_cpu(part) for part in own]), detail, name)
        for name, own in parts.items()
    }


def _detail(logits: Tensor, labels: Tensor, detail: Detail, name: str) -> Part:
    rows = prediction_rows(logits, labels, detail.temperatures.get(name, UNSCALED))
    return (*rows, logits) if detail.keep_logits else rows


def _eval_result(parts: list[Part], detail: Detail | None, name: str) -> EvalResult:
    """Return the result of all images from losses, top-1 and top-5 hits of each batch."""
    losses, top1, top5 = map(torch.cat, zip(*(part[:3] for part in parts), strict=True))
    acc1, acc5 = (accuracy_percent(int(hits.sum()), len(hits)) for hits in (top1, top5))
    result = EvalResult(acc1, acc5, float(losses.mean()), top1.numpy(), top5.numpy())
    if detail is None:
        return result
    logits = torch.cat([part[-1] for part in parts]) if detail.keep_logits else None
    rows = [part[3:9] for part in parts]
    temperature = detail.temperatures.get(name, UNSCALED)
    return replace(
        result, predictions=to_predictions(rows, detail.classes, temperature), logits=logits
    )


def _on_cpu(part: Part) -> Part:
    return tuple(tensor.cpu() for tensor in part)
