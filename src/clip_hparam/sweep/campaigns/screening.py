"""The screening of a campaign: its design, and the knobs that it hands to the search.

Both use the accuracy on the selection set, which is the objective of the search. Seeds draw other
selection images, so more seeds resolve smaller effects.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from clip_hparam.analysis.evidence.studies.screening import KnobEffect, Screening
from clip_hparam.analysis.stats.error_margin import counting_resolution
from clip_hparam.config.text.count import counted
from clip_hparam.config.text.numbers import format_number
from clip_hparam.design.design import Design, merged_overrides, parse_design
from clip_hparam.design.fractional import fractional_factorial
from clip_hparam.design.ranges import parse_range
from clip_hparam.design.sampling import level_at
from clip_hparam.design.screening import ALWAYS_SEARCHED, order_steps
from clip_hparam.sweep.campaigns.stages import (
    N_SEEDS,
    SCREENING_SEED,
    InsufficientBudgetError,
    Stage,
    design_tree,
)

SCREENING_LOW, SCREENING_HIGH = 0.25, 0.75  # positions in a range, 0 to 1
RESOLVED_POINTS = 1.0  # effects of this size should be distinguished from noise
MAX_SCREENING_SEEDS = 10
MIN_KNOBS, MAX_KNOBS = 2, 5  # that screening hands to the search


class SelectionSet(NamedTuple):
    """Selection accuracy of the reference in percent, and the number of selection images."""

    accuracy: float
    images: int


def plan_screening(study: Design, trials: int, selection: SelectionSet | None = None) -> Stage:
    """Return the factorial of the highest resolution that `trials` trials pay for.

    The low level of each knob is in the base. There are as many seeds as effects of one point need,
    if the budget pays for them. selection: None if no record tells the number of images.

    Raises: InsufficientBudgetError for too few trials.
    """
    for resolution in (4, 3):
        design, size = _factorial(study, resolution)
        if size <= trials:
            break
    else:
        raise InsufficientBudgetError(
            f"screening {len(study.knobs)} knobs takes {size} trials, and there are {trials}"
        )
    seeds = _seeds(size, trials // size, selection)
    design["seeds"] = list(range(SCREENING_SEED, SCREENING_SEED + seeds))
    numeral = "IV" if resolution == 4 else "III"
    text = f"{size} cells of resolution {numeral}, {counted(seeds, 'seed')} each"
    return Stage("screening", design, (), f"{text}{_resolution_text(size, seeds, selection)}")


class SearchedKnobs(NamedTuple):
    """The knobs to search with the reason for each, and a sentence about the screening."""

    reasons: Mapping[str, str]
    sentence: str

    @property
    def text(self) -> str:
        """Return the decision as one text."""
        listed = ", ".join(f"{knob} ({reason})" for knob, reason in self.reasons.items())
        return f"{listed}; {self.sentence}"


def choose_knobs(knobs: Sequence[str], screening: Screening | None) -> SearchedKnobs:
    """Return the knobs to search.

    lr is always searched. So is each knob with an effect beyond the margin of error, and each knob
    of a known interaction beyond it. At least two knobs are returned, at most five. All are, if
    nothing was screened.
    """
    if screening is None:
        return SearchedKnobs(dict.fromkeys(knobs, "not screened"), "nothing was screened")
    reasons: dict[str, str] = {}
    for knob, reason in _reasons(knobs, screening):
        if len(reasons) < MAX_KNOBS:
            reasons.setdefault(knob, reason)
    return SearchedKnobs(reasons, _screening_sentence(screening, reasons))


def _reasons(knobs: Sequence[str], screening: Screening) -> Iterator[tuple[str, str]]:
    """Yield knobs with the reason to search them, the most urgent first; knobs may repeat."""
    mains = screening.mains
    for knob in ALWAYS_SEARCHED:
        if knob in knobs:
            yield knob, f"always searched, effect {_points(mains.get(knob))}"
    outstanding = [effect for effect in screening.effects if effect.stands_out]
    for effect in outstanding:
        for knob in effect.knobs:
            word = "effect" if len(effect.knobs) == 1 else f"interaction {effect.name}"
            yield knob, f"{word} {_points(effect)}"
    by_size = sorted(knobs, key=lambda knob: -abs(mains[knob].points) if knob in mains else 0.0)
    kept = {knob for effect in outstanding for knob in effect.knobs} | {*ALWAYS_SEARCHED} & {*knobs}
    for knob in [knob for knob in by_size if knob not in kept][: max(0, MIN_KNOBS - len(kept))]:
        yield knob, f"the largest of the others, {_points(mains.get(knob))} is inside the margin"


def _screening_sentence(screening: Screening, searched: Mapping[str, str]) -> str:
    """Return the effects, their margin of error, and the knobs left out with unresolved effects."""
    listed = ", ".join(f"{effect.name} {_points(effect)}" for effect in screening.effects)
    text = (
        f"effects on selection accuracy, points: {listed}; margin {screening.margin:.2f}"
        f" ({screening.method})"
    )
    left = [effect for name, effect in screening.mains.items() if name not in searched]
    unresolved = [e for e in left if abs(e.points) + screening.margin > RESOLVED_POINTS]
    if unresolved:
        names = ", ".join(effect.name for effect in unresolved)
        text += (
            f"; the screening cannot rule out effects over {RESOLVED_POINTS:g} point of"
            f" {names}, which are not searched"
        )
    return text


def _points(effect: KnobEffect | None) -> str:
    return "unknown" if effect is None else format_number(effect.points, "+.2f")


def _factorial(study: Design, resolution: int) -> tuple[dict[str, object], int]:
    """Return the design of the screening without its seeds, and the number of its cells."""
    low, high = (
        {knob: _level_at(knob, levels, position) for knob, levels in study.knobs.items()}
        for position in (SCREENING_LOW, SCREENING_HIGH)
    )
    steps = [{"label": knob, "overrides": [f"{knob}={high[knob]}"]} for knob in study.knobs]
    design = design_tree(study, "screening", "fractional", steps=steps, resolution=resolution)
    rows = fractional_factorial(parse_design(design))
    by_label = {str(step["label"]): step for step in steps}
    design["steps"] = [by_label[label] for label in order_steps(list(study.knobs), rows)]
    design["base"] = list(merged_overrides(study.base, [f"{k}={text}" for k, text in low.items()]))
    return design, len(rows)


def _seeds(size: int, affordable: int, selection: SelectionSet | None) -> int:
    """Return how many seeds resolve effects of one point; at least three if they are affordable."""
    if selection is None:
        return min(N_SEEDS, affordable)
    return min(max(N_SEEDS, _seeds_needed(size, selection)), MAX_SCREENING_SEEDS, affordable)


def _seeds_needed(size: int, selection: SelectionSet) -> int:
    """Return how many seeds of `size` cells resolve effects of one point."""
    one_seed = counting_resolution(*selection, size)
    return math.ceil((one_seed / RESOLVED_POINTS) ** 2)


def _resolution_text(size: int, seeds: int, selection: SelectionSet | None) -> str:
    """Return the smallest effects that the trials can resolve, and needs of smaller ones."""
    if selection is None:
        return ""
    resolution = counting_resolution(*selection, size * seeds)
    text = f", {selection.images} selection images: they can resolve effects from {resolution:.1f}"
    if resolution <= RESOLVED_POINTS:
        return f"{text} points on"
    images = math.ceil(selection.images * (resolution / RESOLVED_POINTS) ** 2)
    text += f" points on, not {RESOLVED_POINTS:g}: that takes {images} selection images"
    needed = _seeds_needed(size, selection)
    if needed > MAX_SCREENING_SEEDS:
        return f"{text} (data.selection)"
    return f"{text} (data.selection), or {needed} seeds and a larger budget"


def _level_at(knob: str, levels: Sequence[str], position: float) -> str:
    """Return the level at a position, 0 to 1; the middle of a range that is one of the levels."""
    text = level_at(knob, levels, position)
    inner_range = parse_range(text)
    return inner_range.value_at(0.5) if inner_range else text
