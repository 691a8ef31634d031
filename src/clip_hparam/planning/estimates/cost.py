"""Predict the cost of a trial from the records of similar trials, else by arithmetic.

Training seconds of an image come from finished trials of the same encoder, data set and key (device
name, ranks, precision, kernels, compile) and are scaled with the image area where the resolution
differs. Seconds outside training (start and evaluation) are scaled with the image area only.
Imports no torch.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple

from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.steps import total_steps
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.estimates.cost_key import CostKey, key_of_numerics, key_of_spec
from clip_hparam.planning.estimates.throughput import Device, gpu_seconds
from clip_hparam.records.record import Record, trial_ids


@dataclass(frozen=True)
class TrialCost:
    """Measured cost of a trial.

    encoder, data: names.
    key: the machine and the settings that it was measured with.
    image_area: px.
    train_seconds_per_image: training time of one image of one epoch.
    other_seconds: start and evaluation of the whole trial.
    is_probe: whether a few steps were timed instead of a trial.
    """

    encoder: str
    data: str
    key: CostKey
    image_area: int
    train_seconds_per_image: float
    other_seconds: float
    is_probe: bool = False


class CostEstimate(NamedTuple):
    """Predicted wall time of a trial, and the source of the prediction.

    gpu_hours: of all GPUs of the trial; NaN where the trial may run on a CPU.
    key: of the trials that were measured; None for arithmetic.
    """

    seconds: float
    source: Literal["records", "probe", "arithmetic"]
    gpu_hours: float = math.nan
    key: CostKey | None = None


def load_costs(runs: Path) -> list[TrialCost]:
    """Return the costs of the finished trials in a runs folder."""
    costs = (_trial_cost(Record(runs, trial_id)) for trial_id in trial_ids(runs))
    return [cost for cost in costs if cost is not None]


def predict(
    spec: TrialSpec,
    known: Iterable[TrialCost],
    device: Device | None = None,
    device_name: str = "",
) -> CostEstimate | None:
    """Return the predicted cost of a trial.

    known: trials of other encoders, data sets and keys are ignored. device: GPU whose throughput
    predicts where no trial is known. device_name: of the device that will compute; "" if unknown,
    as that of a cluster's node: the device with most of the similar trials then predicts.
    None without a known trial and a device.
    """
    recipe = as_resolved(spec.recipe)
    similar = _similar_costs(spec, known, device_name)
    if not similar:
        return _predict_by_arithmetic(spec, device) if device else None
    area = recipe.resolution**2
    costs = [cost for cost in similar if cost.image_area == area] or similar
    per_image = median(cost.train_seconds_per_image * area / cost.image_area for cost in costs)
    other = median(cost.other_seconds * area / cost.image_area for cost in costs)
    seconds = per_image * total_steps(recipe) * recipe.batch_size + other
    is_probe = all(cost.is_probe for cost in costs)
    return CostEstimate(seconds, "probe" if is_probe else "records", key=costs[0].key)


def _similar_costs(
    spec: TrialSpec, known: Iterable[TrialCost], device_name: str
) -> Sequence[TrialCost]:
    """Return the costs of one machine that hold for a trial; empty if there are none."""
    kind = (spec.recipe.encoder.name, spec.recipe.data.name)
    wanted = key_of_spec(spec, device_name)
    similar = [
        cost
        for cost in known
        if (cost.encoder, cost.data) == kind
        and cost.key == wanted._replace(device_name=cost.key.device_name)
        and device_name in ("", cost.key.device_name)
    ]
    if not similar:
        return []
    (name, _), *_ = Counter(cost.key.device_name for cost in similar).most_common(1)
    return [cost for cost in similar if cost.key.device_name == name]


def _predict_by_arithmetic(spec: TrialSpec, device: Device) -> CostEstimate:
    """Return the time of all GPUs of a trial together; each is assumed to add its full speed."""
    seconds = gpu_seconds(as_resolved(spec.recipe), device)
    return CostEstimate(seconds / spec.gpus_per_trial, "arithmetic", seconds / 3600)


def _trial_cost(record: Record) -> TrialCost | None:
    result, recipe = record.result(), record.recipe()
    if result is None or recipe is None:
        return None
    knobs: dict[str, Any] = recipe["recipe"]
    key = key_of_numerics(result.get("numerics") or {}, knobs.get("precision", "fp32"))
    if key is None:
        return None
    cost, images = result["cost"], result["steps"] * knobs["batch_size"]
    return TrialCost(
        encoder=knobs["encoder"]["name"],
        data=knobs["data"]["name"],
        key=key,
        image_area=knobs["resolution"] ** 2,
        train_seconds_per_image=cost["train_seconds"] / images,
        other_seconds=cost["seconds"] - cost["train_seconds"],
    )
