"""Overrides -> jobs: Hydra composes once per choice of groups, the knobs are replaced in Python.

A composition costs 48 ms, a replacement 0.05 ms: a plan of ten thousand trials takes seconds.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from hydra import compose, initialize_config_module
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.types import RunMode
from omegaconf import DictConfig

from clip_hparam.cli.hydra_app.schema import register_configs, split_config
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, knobs, with_values
from clip_hparam.config.sweep_options import SweepOptions
from clip_hparam.config.trial_spec import PER_TRIAL_OPTIONS, TrialSpec
from clip_hparam.design.design import Overrides
from clip_hparam.planning.resolve import resolve

Composed = tuple[Recipe, Machine, SweepOptions]
SWEEPER_PREFIX = "hydra.sweeper."


class Composer:
    """Composes lists of overrides against the primary config of a running Hydra app."""

    def __init__(self, loader: ConfigLoader, config: DictConfig) -> None:
        self._loader, self._name = loader, config.hydra.job.config_name
        chosen = config.hydra.overrides.hydra  # what is the sweeper's is no part of a cell
        self._chosen = [word for word in chosen if not word.startswith(SWEEPER_PREFIX)]
        self._parser = OverridesParser.create(config_loader=loader)
        self._composed = cache(self._compose)
        self._parsed = cache(lambda text: self._parser.parse_overrides([text])[0])

    def parse(self, overrides: Sequence[str]) -> list[Override]:
        """Cells share most of their overrides: each text is parsed once."""
        return [self._parsed(text) for text in overrides]

    def compose(self, overrides: Sequence[str]) -> Composed:
        """Raises Hydra's errors for what does not exist, ValueError for a value out of range."""
        values: dict[str, Any] = {}
        rest: list[str] = []
        for override in self.parse(overrides):
            name = override.key_or_group
            if name in knobs() and override.type is OverrideType.CHANGE:
                values[name] = override.value()
            else:
                rest.append(str(override.input_line))
        recipe, machine, driver = self._composed(tuple(rest))
        return with_values(recipe, values), machine, driver

    def _compose(self, overrides: Overrides) -> Composed:
        words = [*self._chosen, *overrides]
        return split_config(self._loader.load_configuration(self._name, words, RunMode.RUN))


def create_trial_spec(recipe: Recipe, machine: Machine, driver: SweepOptions) -> TrialSpec:
    kept = {name: getattr(driver, name) for name in PER_TRIAL_OPTIONS}
    return TrialSpec(resolve(recipe), machine, **kept)


def with_seed(job: TrialSpec, seed: int) -> TrialSpec:
    """A replicate; a recipe resolves to the same values with any seed."""
    return replace(job, recipe=replace(job.recipe, seed=seed))


def compose_recipe(overrides: Sequence[str]) -> Recipe:
    """The recipe of `python sweep.py <overrides>`, outside a Hydra app; not resolved."""
    register_configs()
    with initialize_config_module("clip_hparam.cli.hydra_app.conf", version_base="1.3"):
        recipe, _, _ = split_config(compose("config", list(overrides)))
    return recipe
