"""The stages of a campaign as data: the design to run next, from the results so far.

reference   the base recipe and a linear probe, three seeds each
screening   a fractional factorial over all knobs, to find those that matter (screening.py)
search      a pruned search over the knobs that matter
proof       the best one or two points and the reference on fresh seeds, with racing
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clip_hparam.design.design import Design

STAGES = ("reference", "screening", "search", "proof")
BUDGET_SHARES = {"screening": 0.3, "search": 0.4, "proof": 0.3}
"""Shares of the budget left after the reference; unspent seconds go to the next stage."""
N_SEEDS = 3
SCREENING_SEED, SEARCH_SEED, PROOF_SEED = 50, 60, 100  # first seed of each stage
MIN_POINTS = 10  # points of a search
MAX_WINNERS, MAX_SEEDS = 2, 10  # cells and seeds of the proof


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
    design = design_tree(study, "reference", "list", steps=steps, seeds=N_SEEDS)
    return Stage("reference", design, (), "the accuracy to beat and the cost of a trial")


def plan_search(
    study: Design, knobs: Sequence[str], seconds: float, trial_seconds: float, workers: int
) -> Stage:
    """Return a search over the knobs that takes `seconds` of all workers together.

    Raises: InsufficientBudgetError if they pay for fewer than ten points.
    """
    points = int(2 * seconds / trial_seconds)  # pruning saves at least half of the epochs
    if points < MIN_POINTS:
        raise InsufficientBudgetError(
            f"a search takes {MIN_POINTS} points, and there is time for {points}"
        )
    design = design_tree(study, "search", "search", seeds=[SEARCH_SEED])
    design["knobs"] = {knob: list(study.knobs[knob]) for knob in knobs}
    options = {"n_trials": points, "pruner": "asha", "budget": f"{max(1, seconds / workers):.0f}s"}
    words = tuple(f"hydra.sweeper.{key}={value}" for key, value in options.items())
    return Stage("search", design, words, f"up to {points} points over {', '.join(knobs)}")


def plan_proof(study: Design, winners: Mapping[str, Sequence[str]], trials: int) -> Stage:
    """Return a race of the reference and as many winners as `trials` trials pay for.

    winners: overrides by label, best first.
    Raises: InsufficientBudgetError if one winner on four seeds is too much.
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
    design = design_tree(study, "proof", "list", steps=steps, seeds=seeds)
    return Stage("proof", design, (), f"{N_SEEDS} to {max_seeds} fresh seeds each")


def design_tree(study: Design, name: str, kind: str, **more: Any) -> dict[str, Any]:
    """Return the content of the design file of a stage."""
    return {"name": f"{study.name}_{name}", "kind": kind, "base": list(study.base), **more}
