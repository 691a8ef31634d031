"""Optuna's samplers and pruners by the names that the field has for them.

A sampler is made anew for each question, with a seed that is a function of the search's seed and
the number of the point: workers never draw the same stream, and a search that goes on asks what
it would have asked.
"""

import math
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from inspect import signature
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    PercentilePruner,
    SuccessiveHalvingPruner,
    WilcoxonPruner,
)
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIIISampler,
    NSGAIISampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)

from clip_hparam.config.knob import suggest
from clip_hparam.search.objective import Objective
from clip_hparam.search.space import Space

ASHA_RUNGS = 2  # of successive halving, before the last epoch
MIN_WILCOXON_SEEDS = 3  # that Wilcoxon can compare


class GridSampler(BaseSampler):
    """Every combination of levels once, in an order drawn with the seed; stateless."""

    def __init__(self, points: list[dict[str, Any]], seed: int) -> None:
        self.points = random.Random(seed).sample(points, len(points))

    def infer_relative_search_space(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self,
        study: optuna.Study,
        trial: optuna.trial.FrozenTrial,
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self,
        study: optuna.Study,
        trial: optuna.trial.FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self.points[trial.number % len(self.points)][param_name]


SAMPLERS: dict[str, Callable[..., BaseSampler]] = {
    "tpe": TPESampler,
    "gp": GPSampler,
    "cmaes": CmaEsSampler,
    "random": RandomSampler,
    "qmc": QMCSampler,
    "nsgaii": NSGAIISampler,
    "nsgaiii": NSGAIIISampler,
    "grid": GridSampler,
}
SINGLE_OBJECTIVE_SAMPLERS = ("cmaes",)
FIXED_SEED_SAMPLERS = ("qmc",)
"""Samplers that walk one sequence: their seed must not change from point to point."""
DEFAULT_ARGUMENTS: dict[str, dict[str, Any]] = {
    "cmaes": {"warn_independent_sampling": False},
    "gp": {"warn_independent_sampling": False},
    "qmc": {
        "scramble": True,
        "warn_independent_sampling": False,
        "warn_asynchronous_seeding": False,
    },
    "percentile": {"percentile": 25.0},
}
PRUNERS: dict[str, Callable[..., BasePruner]] = {
    "asha": SuccessiveHalvingPruner,
    "hyperband": HyperbandPruner,
    "median": MedianPruner,
    "percentile": PercentilePruner,
    "wilcoxon": WilcoxonPruner,
    "none": NopPruner,
}


def create_sampler(
    given: Mapping[str, Any], space: Space, goal: Objective, number: int
) -> BaseSampler:
    """For the point with this number; `given` is a name, a seed and Optuna's own arguments.

    Raises ValueError for an unknown name or argument, and what the sampler cannot do.
    """
    name, seed = given["name"], int(given.get("seed") or 0)
    _validate_name("sampler", name, SAMPLERS)
    if name in SINGLE_OBJECTIVE_SAMPLERS and goal.is_multi_objective:
        raise ValueError(f"sampler={name} takes one objective, and there are several: try nsgaii")
    if name == "grid":
        return GridSampler(space.grid(), seed)
    own = seed if name in FIXED_SEED_SAMPLERS else random.Random(f"{seed} {number}").getrandbits(31)
    made: BaseSampler = _create("sampler", SAMPLERS[name], name, given, {"seed": own})
    return made


def create_pruner(
    given: Mapping[str, Any], goal: Objective, epochs: int, warmup: float, seeds: int
) -> BasePruner:
    """For trials of so many epochs, of which a share is warm-up.

    Raises ValueError for an unknown name or argument, and what the pruner cannot do.
    """
    name = given["name"]
    _validate_name("pruner", name, PRUNERS)
    if name != "none" and not goal.has_curve:
        several = (
            "several objectives" if goal.is_multi_objective else f"objective={goal.objectives[0]}"
        )
        raise ValueError(
            f"pruner={name} compares one learning curve, and {several} has none: try pruner=none"
        )
    if name == "wilcoxon" and seeds < MIN_WILCOXON_SEEDS:
        raise ValueError(f"pruner=wilcoxon compares points over their seeds: try seeds={5}")
    first, factor = asha_rungs(given, epochs, warmup)
    own: dict[str, dict[str, Any]] = {
        "asha": {"reduction_factor": factor, "min_resource": first},
        "hyperband": {
            "reduction_factor": factor,
            "min_resource": first,
            "max_resource": max(epochs, first),
        },
        "median": {"n_warmup_steps": first},
        "percentile": {"n_warmup_steps": first},
    }
    made: BasePruner = _create("pruner", PRUNERS[name], name, given, own.get(name, {}))
    return made


def asha_rungs(given: Mapping[str, Any], epochs: int, warmup: float) -> tuple[int, int]:
    """Epochs of the first rung of successive halving, and the factor to each next one.

    Unless told otherwise the first is at a ninth of the epochs, but not before an epoch at the full
    learning rate has ended: until then the larger one looks better (benchmarks/RESULTS.md).
    """
    factor = int(given.get("reduction_factor") or 3)
    early = max(round(epochs / factor**ASHA_RUNGS), math.ceil(warmup * epochs) + 1)
    return int(given.get("min_resource") or min(early, epochs)), factor


@contextmanager
def suppress_experimental_warnings() -> Iterator[None]:
    """Optuna warns of whatever is experimental; our users did not choose it by its class."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


def parse_method(given: Any, default: str) -> dict[str, Any]:
    """A name, a mapping with a name, or nothing, as a mapping."""
    if given is None:
        return {"name": default}
    if isinstance(given, Mapping):
        return {"name": default, **given}
    return {"name": str(given).lower()}


def _validate_name(kind: str, name: str, known: Mapping[str, Any]) -> None:
    if name not in known:
        raise ValueError(f"unknown hydra.sweeper.{kind}={name}: {suggest(name, known)}")


def _create(
    kind: str, make: Callable[..., Any], name: str, given: Mapping[str, Any], own: dict[str, Any]
) -> Any:
    """Raises ValueError in place of what Optuna raises for its arguments."""
    more = {key: value for key, value in given.items() if key not in ("name", "seed")}
    known = signature(make).parameters
    for key in more:
        if key not in known:
            raise ValueError(f"unknown hydra.sweeper.{kind}.{key}: {suggest(key, known)}")
    with suppress_experimental_warnings():
        try:
            return make(**DEFAULT_ARGUMENTS.get(name, {}) | own | more)
        except (TypeError, ValueError) as error:
            raise ValueError(f"hydra.sweeper.{kind}={name}: {error}") from None
