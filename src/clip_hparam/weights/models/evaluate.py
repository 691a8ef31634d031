"""Score a trained model on the evaluation sets of a data set, as a derived result."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from clip_hparam.config.knob import AUTO
from clip_hparam.config.recipe import Data
from clip_hparam.data.dataset import EvalSet
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.prompts.recipe_prompts import DEFAULT
from clip_hparam.records.derived import DerivedResult, Parent
from clip_hparam.records.metrics import accuracy_percent
from clip_hparam.training.checkpoints.progress import detail_columns, metric_columns
from clip_hparam.training.evaluation import EvalResult
from clip_hparam.training.metrics.collection import prediction_rows, to_predictions
from clip_hparam.training.metrics.predictions import UNSCALED
from clip_hparam.weights.models.inference import logits_of_sets
from clip_hparam.weights.models.trained_model import TrainedModel

EVALUATION = "evaluation"


def evaluate_model(model: TrainedModel, data: Data, device: str = AUTO) -> DerivedResult:
    """Return the metrics of a model on all evaluation sets of the data set.

    Columns are those of result.json. Classes are matched by their names.

    Raises: ValueError if the model has other classes than the data set.
    """
    dataset = load_dataset(data)
    order = class_order(model, dataset.classes)
    columns: dict[str, float | None] = {}
    sets = {name: eval_set.images for name, eval_set in dataset.eval_sets.items()}
    for name, logits in logits_of_sets(model, sets, device):
        score = score_logits(logits[:, order], dataset.eval_sets[name])
        columns |= metric_columns(name, model.weights, score)
        columns |= _without_temperature(detail_columns(name, model.weights, score))
    return DerivedResult(
        kind=EVALUATION,
        parents=(Parent(model.sha256, model.trial_id, model.origin),),
        parameters={"data": data.name, "resolution": model.resolution, **_prompts(model)},
        metrics={f"{column}.{model.epoch}": value for column, value in columns.items()},
        selected_weights=model.weights,
        data_fingerprint=dataset.fingerprint,
        facts={"pixels": model.pixels, "interpolation": model.interpolation, "when": model.epoch},
    )


def class_order(model: TrainedModel, classes: Sequence[str]) -> list[int]:
    """Return the position among the model's logits of each class of a data set.

    A model whose class names are not known has the classes of the data set in their order.

    Raises: ValueError for other classes.
    """
    names = model.classes
    missing = [name for name in classes if name not in names]
    if not missing and len(names) == len(classes):
        return [names.index(name) for name in classes]
    outputs = len(names) if names else _outputs(model)
    if not names and outputs == len(classes):
        return list(range(len(classes)))
    lacks = f", and {missing[0]} is not among them" if names and missing else ""
    raise ValueError(
        f"{model.origin} has {outputs} classes{lacks}, and the data have {len(classes)}:"
        " name data with its classes, or another model"
    )


def score_logits(logits: Tensor, eval_set: EvalSet) -> EvalResult:
    """Return the result for logits, shape (n, classes), as a trial evaluates them.

    Its predictions have no temperature, which is fitted to a selection set.
    """
    labels = torch.from_numpy(eval_set.labels)
    if eval_set.allowed_classes is not None:
        logits = logits.masked_fill(~torch.from_numpy(eval_set.allowed_classes), -math.inf)
    top = logits.topk(min(5, logits.shape[1])).indices == labels[:, None]
    top1, top5 = top[:, 0], top.any(dim=1)
    acc1, acc5 = (accuracy_percent(int(hits.sum()), len(hits)) for hits in (top1, top5))
    loss = F.cross_entropy(logits, labels, reduction="none").mean()
    rows = prediction_rows(logits, labels, UNSCALED)
    predictions = to_predictions([rows], logits.shape[1], UNSCALED)
    return EvalResult(acc1, acc5, float(loss), top1.numpy(), top5.numpy(), predictions)


def _without_temperature(columns: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in columns.items() if "tempered_loss." not in name}


def _outputs(model: TrainedModel) -> int:
    """Return the number of logits of a model."""
    side = model.resolution
    device = next(model.module.parameters()).device
    with torch.inference_mode():
        return int(model.module(torch.zeros(1, 3, side, side, device=device)).shape[1])


def _prompts(model: TrainedModel) -> dict[str, str]:
    """Return `data.prompts` where they are not those of the data set."""
    return {} if model.prompts == DEFAULT else {"data.prompts": model.prompts}
