"""Predict what a trial will cost from the records of similar trials.

Training seconds of an image come from finished trials of the same encoder and data set and are
scaled with the image area where the resolution differs. Seconds outside training (start and
evaluation) are scaled with the image area only. Imports no torch.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.config.steps import total_steps
from clip_hparam.records.record import Record, trial_ids


@dataclass(frozen=True)
class TrialCost:
    """Measured cost of a trial.

    encoder, data: names.
    image_area: px.
    train_seconds_per_image: training time of one image of one epoch.
    other_seconds: start and evaluation of the whole trial.
    """

    encoder: str
    data: str
    image_area: int
    train_seconds_per_image: float
    other_seconds: float


def load_costs(runs: Path) -> list[TrialCost]:
    """Return the costs of the finished trials in a runs folder."""
    costs = (_trial_cost(Record(runs, trial_id)) for trial_id in trial_ids(runs))
    return [cost for cost in costs if cost is not None]


def predict_seconds(recipe: ResolvedRecipe, known: Iterable[TrialCost]) -> float | None:
    """Return the predicted seconds of a recipe.

    None if `known` holds no trial of its encoder and data set.
    """
    kind = (recipe.encoder.name, recipe.data.name)
    similar = [cost for cost in known if (cost.encoder, cost.data) == kind]
    if not similar:
        return None
    area = recipe.resolution**2
    costs = [cost for cost in similar if cost.image_area == area] or similar
    per_image = median(cost.train_seconds_per_image * area / cost.image_area for cost in costs)
    other = median(cost.other_seconds * area / cost.image_area for cost in costs)
    return per_image * total_steps(recipe) * recipe.batch_size + other


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
