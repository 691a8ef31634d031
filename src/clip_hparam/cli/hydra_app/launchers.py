"""Launchers of a config: those of this project, and third-party Hydra launchers behind an adapter.

A third-party launcher (basic, joblib, ...) takes lists of overrides and blocks until all jobs have
ended. The states of the trials are read from their folders, so a launcher that returns nothing, or
that raises although some jobs succeeded, loses no result.
"""

import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher as HydraLauncher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from clip_hparam.cli.hydra_app.grammar.keys import LAUNCHER, unknown_key
from clip_hparam.cli.hydra_app.schema import to_plain
from clip_hparam.config.worker_spec import LaunchSpec
from clip_hparam.launch.base import (
    BlockingLauncher,
    Capacity,
    JobHandle,
    LaunchContext,
    Launcher,
)
from clip_hparam.planning.compilation import ON

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
            self.launcher.launch([self._words(spec) for spec in specs], 0)
        except Exception as error:
            print(f"{type(self.launcher).__name__}: {error}", file=sys.stderr)
        return [JobHandle(spec.trial_id, type(self.launcher).__name__, "") for spec in specs]

    def _words(self, spec: LaunchSpec) -> list[str]:
        """Return the overrides of a trial; a sweep that compiles its trials adds one."""
        compiled = ["machine.compile=on"] if spec.machine.compile == ON else []
        return [*self.overrides[spec.trial_id], *compiled]


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
        ValueError: an option that the launcher does not have, or workers of a search that cannot
            run through a third-party launcher.
    """
    target: str = config.hydra.launcher["_target_"]
    module, _, name = target.rpartition(".")
    if module.startswith("clip_hparam."):
        options = to_plain(config.hydra.launcher)
        del options["_target_"]
        _refuse_added(options, OmegaConf.get_type(config.hydra.launcher))
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


def _refuse_added(options: Collection[str], schema: Any) -> None:
    """Raise ValueError for options that `+hydra.launcher.KEY` added, which Hydra permits."""
    known = {field.name for field in fields(schema)} if is_dataclass(schema) else set(options)
    for name in options:
        if name not in known:
            raise ValueError(unknown_key(f"{LAUNCHER}.{name}"))
