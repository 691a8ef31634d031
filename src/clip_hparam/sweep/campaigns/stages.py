"""The stages of a campaign as data: the design to run next, from the results so far.

reference   the base recipe and a linear probe, three seeds each
screening   a fractional factorial over all knobs, to find those that matter
search      a pruned search over the knobs that matter
proof       the best one or two points and the reference on fresh seeds, with racing
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from clip_hparam.design.design import Design, merged_overrides, parse_design
from clip_hparam.design.fractional import fractional_factorial
from clip_hparam.design.ranges import parse_range
from clip_hparam.design.sampling import level_at

STAGES = ("reference", "screening", "search", "proof")
BUDGET_SHARES = {"screening": 0.3, "search": 0.4, "proof": 0.3}
"""Shares of the budget left after the reference; unspent seconds go to the next stage."""
SCREENING_LOW, SCREENING_HIGH = 0.25, 0.75  # positions in a range, 0 to 1
N_SEEDS = 3
SCREENING_SEED, SEARCH_SEED, PROOF_SEED = 50, 60, 100  # first seed of each stage
MIN_KNOBS, MAX_KNOBS = 2, 5  # that screening hands to the search
MIN_POINTS = 10  # of a search
MAX_WINNERS, MAX_SEEDS = 2, 10  # of the proof
LENTH_FACTOR = 2.0  # margin of error in pseudo standard errors


@dataclass(frozen=True)
class Stage:
    """A sweep to run: the content of its design file, more overrides (`words`), and the reason."""

    name: str
    design: Mapping[str, Any]
    words: tuple[str, ...]
    why: str


class InsufficientBudgetError(ValueError):
    """The budget does not pay for a stage; the message states the smallest cost."""


def plan_reference(study: Design) -> Stage:
    """Return the first stage, which is small and fixed, since no cost is known yet."""
    steps = [
        {"label": "reference", "overrides": []},
        {"label": "linear probe", "overrides": ["freeze=backbone"]},
    ]
    design = _design_tree(study, "reference", "list", steps=steps, seeds=N_SEEDS)
    return Stage("reference", design, (), "what there is to beat, and what a trial costs")


def plan_screening(study: Design, trials: int) -> Stage:
    """Return the factorial of the highest resolution that `trials` trials pay for.

    The low level of each knob is in the base. Raises InsufficientBudgetError for too few trials.
    """
    low = [
        f"{knob}={_level_at(knob, levels, SCREENING_LOW)}" for knob, levels in study.knobs.items()
    ]
    steps = [
        {"label": knob, "overrides": [f"{knob}={_level_at(knob, levels, SCREENING_HIGH)}"]}
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
    seeds = min(N_SEEDS, trials // size)
    design["base"] = list(merged_overrides(study.base, low))
    design["seeds"] = list(range(SCREENING_SEED, SCREENING_SEED + seeds))
    why = f"{size} cells of resolution {'IV' if resolution == 4 else 'III'}, {seeds} seeds each"
    return Stage("screening", design, (), why)


def plan_search(
    study: Design, knobs: Sequence[str], seconds: float, trial_seconds: float, workers: int
) -> Stage:
    """Return a search over the knobs that takes `seconds` of all workers together.

    Raises InsufficientBudgetError if they pay for fewer than ten points.
    """
    points = int(2 * seconds / trial_seconds)  # pruning saves at least half of the epochs
    if points < MIN_POINTS:
        raise InsufficientBudgetError(
            f"a search takes {MIN_POINTS} points, and there is time for {points}"
        )
    design = _design_tree(study, "search", "search", seeds=[SEARCH_SEED])
    design["knobs"] = {knob: list(study.knobs[knob]) for knob in knobs}
    options = {"n_trials": points, "pruner": "asha", "budget": f"{max(1, seconds / workers):.0f}s"}
    words = tuple(f"hydra.sweeper.{key}={value}" for key, value in options.items())
    return Stage("search", design, words, f"up to {points} points over {', '.join(knobs)}")


def plan_proof(study: Design, winners: Mapping[str, Sequence[str]], trials: int) -> Stage:
    """Return a race of the reference and as many winners as `trials` trials pay for.

    winners: overrides by label, best first.
    Raises InsufficientBudgetError if one winner on four seeds is too much.
    """
    min_seeds = N_SEEDS + 1
    n_winners = min(len(winners), trials // min_seeds - 1)
    if n_winners < 1:
        raise InsufficientBudgetError(
            f"{min_seeds} fresh seeds of a winner and the reference take {2 * min_seeds} trials, "
            f"and there is time for {trials}"
        )
    max_seeds = min(MAX_SEEDS, trials // (n_winners + 1))
    steps = [{"label": "reference", "overrides": []}]
    steps += [
        {"label": label, "overrides": [*winners[label]]} for label in list(winners)[:n_winners]
    ]
    seeds = {"first": PROOF_SEED, "start": N_SEEDS, "max": max_seeds, "until": "decided"}
    design = _design_tree(study, "proof", "list", steps=steps, seeds=seeds)
    return Stage("proof", design, (), f"{N_SEEDS} to {max_seeds} fresh seeds each")


def main_effects(
    steps: Sequence[str], cells: Sequence[tuple[frozenset[str], float]]
) -> dict[str, float]:
    """Return by step the mean of the cells with it minus the mean of the cells without it.

    cells: the steps that are on, and the value, of a balanced design.
    """
    return {
        step: fmean(value for on, value in cells if step in on)
        - fmean(value for on, value in cells if step not in on)
        for step in steps
    }


def significant_knobs(effects: Mapping[str, float]) -> tuple[list[str], float]:
    """Return the knobs whose effect exceeds the margin of error, largest first, and the margin.

    At least two and at most five knobs are returned: searching a knob without an effect costs less
    than missing one with an effect. Source: Lenth 1989, which estimates the noise from the median
    effect, since most effects are noise.
    """
    sizes = {knob: abs(effect) for knob, effect in effects.items()}
    initial_error = 1.5 * median(sizes.values())
    inert = [size for size in sizes.values() if size <= 2.5 * initial_error]
    margin = LENTH_FACTOR * 1.5 * median(inert) if inert else 0.0
    ordered = sorted(sizes, key=lambda knob: -sizes[knob])
    n_significant = sum(size > margin for size in sizes.values())
    return ordered[: min(MAX_KNOBS, max(MIN_KNOBS, n_significant))], margin


def _level_at(knob: str, levels: Sequence[str], position: float) -> str:
    """Return the level at a position, 0 to 1; the middle of a range that is one of the levels."""
    text = level_at(knob, levels, position)
    inner_range = parse_range(text)
    return inner_range.value_at(0.5) if inner_range else text


def _design_tree(study: Design, name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": f"{study.name}_{name}", "kind": kind, "base": list(study.base), **more}
