"""What a trial will cost, from the records of trials like it. No torch.

Seconds an image of training are taken from finished trials of the same encoder, and scaled with
the number of patches where the resolution is another; what a trial takes beside training
(evaluation, start) is taken as it was.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from clip_hparam.config.recipe import Recipe
from clip_hparam.config.steps import total_steps
from clip_hparam.records.record import Record, trial_ids


@dataclass(frozen=True)
class TrialCost:
    """A finished trial: pixels of an image, training seconds an image, seconds beside training."""

    encoder: str
    data: str
    pixels: int
    train_seconds: float
    other_seconds: float


def load_costs(runs: Path) -> list[TrialCost]:
    """The finished trials of a runs folder."""
    found = (_trial_cost(Record(runs, trial_id)) for trial_id in trial_ids(runs))
    return [one for one in found if one is not None]


def predict_seconds(recipe: Recipe, known: Iterable[TrialCost]) -> float | None:
    """Seconds of a resolved recipe; None if no trial of its encoder and data is on record."""
    like = [m for m in known if (m.encoder, m.data) == (recipe.encoder.name, recipe.data.name)]
    if not like:
        return None
    pixels = int(recipe.resolution) ** 2
    same = [one for one in like if one.pixels == pixels] or like
    an_image = median(one.train_seconds * pixels / one.pixels for one in same)
    beside = median(one.other_seconds * pixels / one.pixels for one in same)
    return an_image * total_steps(recipe) * recipe.batch_size + beside


def _trial_cost(record: Record) -> TrialCost | None:
    result, recipe = record.result(), record.recipe()
    if result is None or recipe is None:
        return None
    knobs: dict[str, Any] = recipe["recipe"]
    cost, images = result["cost"], result["steps"] * knobs["batch_size"]
    return TrialCost(
        encoder=knobs["encoder"]["name"],
        data=knobs["data"]["name"],
        pixels=knobs["resolution"] ** 2,
        train_seconds=cost["train_seconds"] / images,
        other_seconds=cost["seconds"] - cost["train_seconds"],
    )
