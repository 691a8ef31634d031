"""The stages of a study as data: what is run next, and why, from what was measured so far.

reference   the recipe that it starts from, and a linear probe, three seeds each
screening   a fractional factorial over all knobs: which of them matter?
search      a pruned search over those that do
proof       the best one or two and the reference on fresh seeds, raced
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from clip_hparam.design.design import Design, parse_design
from clip_hparam.design.fractional import fractional_factorial
from clip_hparam.design.ranges import parse_range
from clip_hparam.design.sampling import level_at

STAGES = ("reference", "screening", "search", "proof")
BUDGET_SHARES = {"screening": 0.3, "search": 0.4, "proof": 0.3}
"""Of what is left after the reference; what a stage leaves unspent goes to the next."""
LOW, HIGH = 0.25, 0.75  # places of a range that screening compares
SEEDS, SCREENED_WITH, SEARCHED_WITH, FRESH = 3, 50, 60, 100
FEWEST_KEPT, MOST_KEPT, PROVEN = 2, 5, 2
FEWEST_POINTS, MOST_SEEDS = 10, 10
ERROR_FACTOR = 2.0


@dataclass(frozen=True)
class Stage:
    """A sweep to run: the design file's content, further words, and the reason for it."""

    name: str
    design: Mapping[str, Any]
    words: tuple[str, ...]
    why: str


class InsufficientBudgetError(ValueError):
    """The budget does not pay for a stage; the message says what it would take."""


def plan_reference(study: Design) -> Stage:
    """Nothing is known of costs yet, so it is small and fixed."""
    steps = [
        {"label": "reference", "overrides": []},
        {"label": "linear probe", "overrides": ["freeze=backbone"]},
    ]
    design = _design_tree(study, "reference", "list", steps=steps, seeds=SEEDS)
    return Stage("reference", design, (), "what there is to beat, and what a trial costs")


def plan_screening(study: Design, trials: int) -> Stage:
    """The finest fraction that the trials pay for, its low levels in the base.

    Raises TooLittleError if they pay for none.
    """
    low = [f"{knob}={_level_at(levels, LOW)}" for knob, levels in study.knobs.items()]
    steps = [
        {"label": knob, "overrides": [f"{knob}={_level_at(levels, HIGH)}"]}
        for knob, levels in study.knobs.items()
    ]
    for resolution in (4, 3):
        design = _design_tree(study, "screening", "fractional", steps=steps, resolution=resolution)
        size = len(fractional_factorial(parse_design(design)))
        if size <= trials:
            break
    else:
        raise InsufficientBudgetError(
            f"screening {len(steps)} knobs takes {size} trials, and there are {trials}"
        )
    seeds = min(SEEDS, trials // size)
    design["base"] = [*study.base, *low]
    design["seeds"] = list(range(SCREENED_WITH, SCREENED_WITH + seeds))
    why = f"{size} cells of resolution {'IV' if resolution == 4 else 'III'}, {seeds} seeds each"
    return Stage("screening", design, (), why)


def plan_search(
    study: Design, knobs: Sequence[str], seconds: float, a_trial: float, workers: int
) -> Stage:
    """Over the knobs that mattered, until `seconds` of all workers together are spent.

    Raises TooLittleError if they pay for under ten points.
    """
    points = int(2 * seconds / a_trial)  # half of the epochs are pruned, or more
    if points < FEWEST_POINTS:
        raise InsufficientBudgetError(
            f"a search takes {FEWEST_POINTS} points, and there is time for {points}"
        )
    design = _design_tree(study, "search", "search", seeds=[SEARCHED_WITH])
    design["knobs"] = {knob: list(study.knobs[knob]) for knob in knobs}
    asked = {"n_trials": points, "pruner": "asha", "budget": f"{max(1, seconds / workers):.0f}s"}
    words = tuple(f"hydra.sweeper.{key}={value}" for key, value in asked.items())
    return Stage("search", design, words, f"up to {points} points over {', '.join(knobs)}")


def plan_proof(study: Design, winners: Mapping[str, Sequence[str]], trials: int) -> Stage:
    """The reference and as many winners (label -> overrides, best first) as there is time for.

    Raises TooLittleError if that is not even one, on four seeds.
    """
    fewest = SEEDS + 1
    proven = min(len(winners), trials // fewest - 1)
    if proven < 1:
        raise InsufficientBudgetError(
            f"{fewest} fresh seeds of a winner and the reference take {2 * fewest} trials, "
            f"and there is time for {trials}"
        )
    most = min(MOST_SEEDS, trials // (proven + 1))
    steps = [{"label": "reference", "overrides": []}]
    steps += [{"label": one, "overrides": [*winners[one]]} for one in list(winners)[:proven]]
    seeds = {"first": FRESH, "start": SEEDS, "max": most, "until": "decided"}
    design = _design_tree(study, "proof", "list", steps=steps, seeds=seeds)
    return Stage("proof", design, (), f"{SEEDS} to {most} fresh seeds each")


def main_effects(
    steps: Sequence[str], cells: Sequence[tuple[frozenset[str], float]]
) -> dict[str, float]:
    """Step -> mean with it less mean without it; of a balanced design."""
    return {
        step: fmean(value for on, value in cells if step in on)
        - fmean(value for on, value in cells if step not in on)
        for step in steps
    }


def significant_knobs(found: Mapping[str, float]) -> tuple[list[str], float]:
    """Knobs whose effect stands out of the others, largest first, and the margin for that.

    Lenth 1989: most effects are noise, so their median tells the noise. At least two are kept, at
    most five: to search is cheaper than to be wrong about one.
    """
    sizes = {knob: abs(effect) for knob, effect in found.items()}
    rough = 1.5 * median(sizes.values())
    inert = [size for size in sizes.values() if size <= 2.5 * rough]
    margin = ERROR_FACTOR * 1.5 * median(inert) if inert else 0.0
    ordered = sorted(sizes, key=lambda knob: -sizes[knob])
    kept = sum(sizes[knob] > margin for knob in ordered)
    return ordered[: min(MOST_KEPT, max(FEWEST_KEPT, kept))], margin


def _level_at(levels: Sequence[str], place: float) -> str:
    """A level, or a place in a range; the middle of a range that stands beside levels."""
    text = level_at(levels, place)
    beside = parse_range(text)
    return beside.value_at(0.5) if beside else text


def _design_tree(study: Design, name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": f"{study.name}_{name}", "kind": kind, "base": list(study.base), **more}
