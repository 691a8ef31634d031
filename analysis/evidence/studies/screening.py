"""Effects of the knobs of a screening on the selection set, and which differ from zero.

A study chooses the knobs of its search by these numbers, and its page and report show them: the
metric is that of the search's objective. The test set selects nothing.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.replicates import sweep_replicates
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import SweepManifest
from clip_hparam.analysis.stats.error_margin import counting_resolution, error_margin
from clip_hparam.analysis.stats.factorial import FactorialEffect, factorial_effects, signs_of
from clip_hparam.design.screening import interactions_among

METRIC = "selection_acc1"
IMAGES_COLUMN = "images.selection"


class KnobEffect(NamedTuple):
    """The effect of a knob, or of a known interaction "a:b", on selection accuracy.

    aliases: effects that the design cannot separate from it, as the factorial labels them.
    """

    name: str
    points: float
    stands_out: bool
    aliases: tuple[str, ...] = ()

    @property
    def knobs(self) -> tuple[str, ...]:
        return tuple(self.name.split(":"))


class Screening(NamedTuple):
    """The effects of a screening, the largest first.

    margin: points below which an effect is not distinguished from zero; `method` estimated it.
    images: of the selection set of a trial, 0 if no record says so.
    resolution: points that so many images can resolve at best; NaN if `images` is 0.
    """

    effects: tuple[KnobEffect, ...]
    margin: float
    method: str
    cells: int
    seeds: int
    images: int
    resolution: float

    @property
    def mains(self) -> dict[str, KnobEffect]:
        return {effect.name: effect for effect in self.effects if len(effect.knobs) == 1}

    @property
    def interactions(self) -> list[KnobEffect]:
        return [effect for effect in self.effects if len(effect.knobs) > 1]


def screening_of(frames: Frames, sweep: SweepManifest) -> Screening | None:
    """Return the effects of a screening over the seeds that all cells have; None without any.

    A cell that lacks a trial makes the design incomplete: None.
    """
    cells = sweep_replicates(frames, sweep, METRIC)
    if not cells or not all(cell.complete for cell in cells):
        return None
    values = pd.concat([cell.values for cell in cells], axis=1, join="inner").to_numpy().T
    factors, signs = signs_of([cell.cell.label for cell in cells])
    if not factors or not values.size:
        return None
    found = _effects(factors, factorial_effects(factors, signs, values))
    margin = error_margin([found[factor].points for factor in factors if factor in found], values)
    ordered = sorted(found.values(), key=lambda effect: -abs(effect.points))
    images = _selection_images(pd.concat([cell.trials for cell in cells]))
    resolution = (
        counting_resolution(float(values.mean()), images, values.size) if images else np.nan
    )
    cells_tested, seeds = values.shape
    return Screening(
        tuple(e._replace(stands_out=abs(e.points) > margin.points) for e in ordered),
        margin.points,
        margin.method,
        cells_tested,
        seeds,
        images,
        resolution,
    )


def _effects(factors: list[str], effects: list[FactorialEffect]) -> dict[str, KnobEffect]:
    """Return the effects of the factors and of their known interactions, by name."""
    known = [":".join(pair) for pair in interactions_among(factors)]
    found: dict[str, KnobEffect] = {}
    for effect in effects:
        for name in effect.names:
            plain = _sorted_name(name, known)
            if plain in (*factors, *known):
                sign = -1 if name.startswith("-") else 1
                others = tuple(other for other in effect.names if other != name)
                found[plain] = KnobEffect(plain, sign * effect.estimate.mean, False, others)
    return found


def _sorted_name(name: str, known: list[str]) -> str:
    """Return the name without its sign; a known interaction with its knobs in the known order."""
    plain = name.removeprefix("-")
    reverse = ":".join(reversed(plain.split(":")))
    return reverse if reverse in known else plain


def _selection_images(trials: pd.DataFrame) -> int:
    """Return the smallest selection set of the trials in images; 0 if it is not recorded."""
    counts = trials[IMAGES_COLUMN].dropna() if IMAGES_COLUMN in trials else pd.Series(dtype=float)
    return int(counts.min()) if len(counts) else 0
