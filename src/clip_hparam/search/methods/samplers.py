"""Optuna's samplers, by their names in the literature. A new sampler is one entry of SAMPLERS.

Each point gets a new sampler, seeded by the seed of the search and the number of the point. So no
two workers draw the same random numbers, and a search that is continued asks for the same points
as one that was never interrupted.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna import samplers
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler

from clip_hparam.search.methods.optuna_options import (
    Options,
    create_from_options,
    validate_name,
    validated_seed,
)
from clip_hparam.search.objective import Objective
from clip_hparam.search.space import Space


class GridSampler(BaseSampler):
    """Every combination of levels once, in a random order that depends on the seed; stateless."""

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


@dataclass(frozen=True)
class SamplerEntry:
    """A sampler's class and its requirements.

    fixed_seed: the seed must be the same for all points, because they walk one sequence.
    needs_grid: the class takes `points`, all combinations of levels.
    """

    create: Callable[..., BaseSampler]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    multi_objective: bool = True
    fixed_seed: bool = False
    needs_grid: bool = False


QUIET = {"warn_independent_sampling": False}
QMC_DEFAULTS = {**QUIET, "scramble": True, "warn_asynchronous_seeding": False}
SAMPLERS = {
    "tpe": SamplerEntry(samplers.TPESampler),
    "gp": SamplerEntry(samplers.GPSampler, QUIET),
    "cmaes": SamplerEntry(samplers.CmaEsSampler, QUIET, multi_objective=False),
    "random": SamplerEntry(samplers.RandomSampler),
    "qmc": SamplerEntry(samplers.QMCSampler, QMC_DEFAULTS, fixed_seed=True),
    "nsgaii": SamplerEntry(samplers.NSGAIISampler),
    "nsgaiii": SamplerEntry(samplers.NSGAIIISampler),
    "grid": SamplerEntry(GridSampler, fixed_seed=True, needs_grid=True),
}


def create_sampler(options: Options, space: Space, goal: Objective, number: int) -> BaseSampler:
    """Return the sampler for the point with this number.

    Raises:
        ValueError: an unknown name or argument, or a sampler that does not fit the search.
    """
    name, seed = options["name"], validated_seed(options)
    validate_name("sampler", name, SAMPLERS)
    entry = SAMPLERS[name]
    if goal.is_multi_objective and not entry.multi_objective:
        raise ValueError(f"sampler={name} takes one objective, and there are several: try nsgaii")
    if not entry.fixed_seed:
        seed = random.Random(f"{seed} {number}").getrandbits(31)
    defaults: dict[str, Any] = {**entry.defaults, "seed": seed}
    if entry.needs_grid:
        defaults["points"] = space.grid()
    sampler: BaseSampler = create_from_options("sampler", entry.create, options, defaults)
    return sampler
