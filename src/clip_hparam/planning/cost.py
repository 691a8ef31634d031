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
from clip_hparam.planning.resolve import total_steps
from clip_hparam.records.record import Record, trial_ids

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Measured:
    """A finished trial: pixels of an image, training seconds an image, seconds beside training."""

    encoder: str
    data: str
    pixels: int
    train_seconds: float
    other_seconds: float


def measured(runs: Path) -> list[Measured]:
    """The finished trials of a runs folder."""
    found = (_read(Record(runs, trial_id)) for trial_id in trial_ids(runs))
    return [one for one in found if one is not None]


def predict(recipe: Recipe, known: Iterable[Measured]) -> float | None:
    """Seconds of a resolved recipe; None if no trial of its encoder and data is on record."""
    like = [m for m in known if (m.encoder, m.data) == (recipe.encoder.name, recipe.data.name)]
    if not like:
        return None
    pixels = int(recipe.resolution) ** 2
    same = [one for one in like if one.pixels == pixels] or like
    an_image = median(one.train_seconds * pixels / one.pixels for one in same)
    beside = median(one.other_seconds * pixels / one.pixels for one in same)
    return an_image * total_steps(recipe) * recipe.batch_size + beside


def seconds_of(text: str, key: str = "budget") -> float:
    """ "90s", "30m", "8h" or "2d" in seconds. Raises ValueError for anything else."""
    number, unit = text[:-1], text[-1:]
    try:
        seconds = float(number) * UNITS[unit]
    except (ValueError, KeyError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"{key}={text} is not a time: try {key}=90s, 30m, 8h or 2d")
    return seconds


def readable(seconds: float) -> str:
    """ "42 s", "3.5 min", "7.2 h"."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _read(record: Record) -> Measured | None:
    result, recipe = record.result(), record.recipe()
    if result is None or recipe is None:
        return None
    knobs: dict[str, Any] = recipe["recipe"]
    cost, images = result["cost"], result["steps"] * knobs["batch_size"]
    return Measured(
        encoder=knobs["encoder"]["name"],
        data=knobs["data"]["name"],
        pixels=knobs["resolution"] ** 2,
        train_seconds=cost["train_seconds"] / images,
        other_seconds=cost["seconds"] - cost["train_seconds"],
    )
