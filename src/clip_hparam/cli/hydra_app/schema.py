"""The only file that knows how Recipe, Machine and the driver's keys look to Hydra.

The primary schema is flat: Recipe's knobs and the driver's keys at the top level, `encoder`,
`data` and `machine` as nodes. Typos and wrong types fail when a config is composed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from clip_hparam.config.knob import suggest
from clip_hparam.config.launcher_options import (
    InlineOptions,
    SubmititLocalOptions,
    SubmititSlurmOptions,
    WorkersOptions,
)
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.search_options import SearchOptions
from clip_hparam.config.sweep_options import SweepOptions

NODES = ("encoder", "data", "machine")


@dataclass(frozen=True)
class PrimaryConfig(SweepOptions, Recipe):
    """Everything that can stand on the command line."""

    machine: Machine = field(default_factory=Machine)


@dataclass
class AblationSweeperOptions(SearchOptions):
    """hydra/sweeper=ablation: a design from sweeps/, or the levels on the command line."""

    _target_: str = "hydra_plugins.clip_hparam_plugin.sweeper.AblationSweeper"
    design: Any = None


def register_configs() -> None:
    """Store the schema and the nodes of our sweeper and launchers in Hydra's ConfigStore."""
    schema = OmegaConf.structured(PrimaryConfig)
    for node in (schema, schema.machine, schema.data, schema.encoder):
        OmegaConf.set_readonly(node, False)  # a frozen dataclass could not be composed
    sweeper = OmegaConf.structured(AblationSweeperOptions)
    OmegaConf.set_struct(sweeper.sampler, False)  # takes what Optuna's class takes
    store = ConfigStore.instance()
    store.store(name="schema", node=schema)
    for group, name, node in (
        ("hydra/sweeper", "ablation", sweeper),
        ("hydra/launcher", "workers", WorkersOptions),
        ("hydra/launcher", "inline", InlineOptions),
        ("hydra/launcher", "submitit_slurm", SubmititSlurmOptions),
        ("hydra/launcher", "submitit_local", SubmititLocalOptions),
    ):
        store.store(group=group, name=name, node=node, provider="clip_hparam")


def split_config(config: DictConfig) -> tuple[Recipe, Machine, SweepOptions]:
    """A composed config as the three things it is made of.

    Raises ValueError for a value outside its range, a key that was added and one that was taken.
    """
    tree: dict[str, Any] = OmegaConf.to_container(config)  # type: ignore[assignment]
    tree.pop("hydra", None)
    top = {node.name: node for node in fields(PrimaryConfig)}
    _validate_keys(tree, top, "")
    for name in NODES:
        node = type(top[name].default_factory())  # type: ignore[operator]
        _validate_keys(tree[name], {field.name: field for field in fields(node)}, f"{name}.")
        tree[name] = node(**tree[name])
    recipe = Recipe(**{knob.name: tree[knob.name] for knob in fields(Recipe)})
    driver = SweepOptions(**{key.name: tree[key.name] for key in fields(SweepOptions)})
    return recipe, tree["machine"], driver


def _validate_keys(tree: Mapping[str, Any], known: Mapping[str, Any], prefix: str) -> None:
    """`+key` and `~key` get past Hydra, but a schema has just the keys it has."""
    for name in tree:
        if name not in known:
            raise ValueError(f"unknown knob {prefix}{name}: {suggest(name, known)}")
    for name in known:
        if name not in tree:
            raise ValueError(f"~{prefix}{name} takes away a knob that every trial has: leave it")
