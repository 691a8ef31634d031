"""Launchers of a config: those of this project, and third-party Hydra launchers behind an adapter.

A third-party launcher (basic, joblib, ...) takes lists of overrides and blocks until all jobs have
ended. The states of the trials are read from their folders, so a launcher that returns nothing, or
that raises although some jobs succeeded, loses no result.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher as HydraLauncher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from clip_hparam.cli.hydra_app.schema import to_plain
from clip_hparam.config.worker_spec import LaunchSpec
from clip_hparam.launch.base import (
    BlockingLauncher,
    Capacity,
    JobHandle,
    LaunchContext,
    Launcher,
)

ContextFactory = Callable[[dict[str, Any]], LaunchContext]
"""Creates the context of one of our launchers from the launcher's options."""


class HydraLauncherAdapter(BlockingLauncher):
    """Launcher interface of a Hydra launcher; `overrides` are those of each trial, by its id."""

    def __init__(self, launcher: HydraLauncher, overrides: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.launcher, self.overrides = launcher, overrides

    def capacity(self, specs: Sequence[LaunchSpec]) -> Capacity:
        """Return one trial at a time: the real number is unknown, so assume the longest time."""
        return Capacity(1, f"by {type(self.launcher).__name__}, if one after another")

    def submit(self, specs: Sequence[LaunchSpec]) -> list[JobHandle]:
        self.specs |= {spec.trial_id: spec for spec in specs}
        try:
            self.launcher.launch([self.overrides[spec.trial_id] for spec in specs], 0)
        except Exception as error:
            print(f"{type(self.launcher).__name__}: {error}", file=sys.stderr)
        return [JobHandle(spec.trial_id, type(self.launcher).__name__, "") for spec in specs]


def with_null_options(words: Sequence[str]) -> list[str]:
    """Return the words of the command line; `~hydra.launcher.KEY` leaves KEY out, as null does.

    Hydra cannot delete the key of a typed node.
    """
    deleted = re.compile(r"~hydra\.launcher\.(\w+)(=.*)?")
    return [
        f"hydra.launcher.{match[1]}=null" if (match := deleted.fullmatch(word)) else word
        for word in words
    ]


def create_launcher(
    config: DictConfig,
    hydra_context: HydraContext,
    task: TaskFunction,
    context: ContextFactory,
    overrides: Mapping[str, Sequence[str]] | None = None,
) -> Launcher:
    """Create the launcher of the config; a third-party launcher is wrapped.

    overrides: of each trial by its id, for a third-party launcher; None for workers of a search.

    Raises:
        ValueError: workers of a search cannot run through a third-party launcher.
    """
    target: str = config.hydra.launcher["_target_"]
    module, _, name = target.rpartition(".")
    if module.startswith("clip_hparam."):
        options = to_plain(config.hydra.launcher)
        del options["_target_"]
        launcher: Launcher = getattr(import_module(module), name)(context(options))
        return launcher
    if overrides is None:
        raise ValueError(
            f"a search cannot run through {name}: try hydra/launcher=workers or submitit_slurm"
        )
    third_party = Plugins.instance().instantiate_launcher(
        hydra_context=hydra_context, task_function=task, config=config
    )
    return HydraLauncherAdapter(third_party, overrides)
