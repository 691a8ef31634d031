"""Predict what a trial will cost: from the records of similar trials, else by arithmetic.

Training seconds of an image come from finished trials of the same encoder and data set and are
scaled with the image area where the resolution differs. Seconds outside training (start and
evaluation) are scaled with the image area only. Imports no torch.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple

from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.steps import total_steps
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.throughput import Device, gpu_seconds
from clip_hparam.records.record import Record, trial_ids


@dataclass(frozen=True)
class TrialCost:
    """Measured cost of a trial.

    encoder, data: names.
    image_area: px.
    train_seconds_per_image: training time of one image of one epoch.
    other_seconds: start and evaluation of the whole trial.
    is_probe: whether a few steps were timed instead of a trial.
    """

    encoder: str
    data: str
    image_area: int
    train_seconds_per_image: float
    other_seconds: float
    is_probe: bool = False


class CostEstimate(NamedTuple):
    """Predicted wall time of a trial, and what the prediction comes from.

    gpu_hours: of all GPUs of the trial; NaN where the trial may run on a CPU.
    """

    seconds: float
    source: Literal["records", "probe", "arithmetic"]
    gpu_hours: float = math.nan


def load_costs(runs: Path) -> list[TrialCost]:
    """Return the costs of the finished trials in a runs folder."""
    costs = (_trial_cost(Record(runs, trial_id)) for trial_id in trial_ids(runs))
    return [cost for cost in costs if cost is not None]


def predict(
    spec: TrialSpec, known: Iterable[TrialCost], device: Device | None = None
) -> CostEstimate | None:
    """Return the predicted cost of a trial.

    known: trials of other encoders and data sets are ignored. device: GPU whose throughput predicts
    where no trial is known. None without a known trial and a device.
    """
    recipe = as_resolved(spec.recipe)
    kind = (recipe.encoder.name, recipe.data.name)
    similar = [cost for cost in known if (cost.encoder, cost.data) == kind]
    if not similar:
        return _predict_by_arithmetic(spec, device) if device else None
    area = recipe.resolution**2
    costs = [cost for cost in similar if cost.image_area == area] or similar
    per_image = median(cost.train_seconds_per_image * area / cost.image_area for cost in costs)
    other = median(cost.other_seconds * area / cost.image_area for cost in costs)
    seconds = per_image * total_steps(recipe) * recipe.batch_size + other
    is_probe = all(cost.is_probe for cost in costs)
    return CostEstimate(seconds, "probe" if is_probe else "records")


def _predict_by_arithmetic(spec: TrialSpec, device: Device) -> CostEstimate:
    """Return the time of all GPUs of a trial together; each is assumed to add its full speed."""
    seconds = gpu_seconds(as_resolved(spec.recipe), device)
    return CostEstimate(seconds / spec.gpus_per_trial, "arithmetic", seconds / 3600)


def _trial_cost(record: Record) -> TrialCost | None:
    result, recipe = record.result(), record.recipe()
    if result is None or recipe is None:
        return None
    knobs: dict[str, Any] = recipe["recipe"]
    cost, images = result["cost"], result["steps"] * knobs["batch_size"]
    return TrialCost(
        encoder=knobs["encoder"]["name"],
        data=knobs["data"]["name"],
        image_area=knobs["resolution"] ** 2,
        train_seconds_per_image=cost["train_seconds"] / images,
        other_seconds=cost["seconds"] - cost["train_seconds"],
    )
