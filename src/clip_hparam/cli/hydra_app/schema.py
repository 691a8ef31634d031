"""Hydra schema: the only file that maps Recipe, Machine and SweepOptions to Hydra's config.

The primary schema is flat: the knobs of Recipe and the driver's keys at the top level, `encoder`,
`data` and `machine` as nodes. Unknown keys and wrong types fail when a config is composed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from clip_hparam.cli.hydra_app.hydra_version import REPLACE
from clip_hparam.config.entry_points import DATASET_GROUP, ENCODER_GROUP, entry_point_names
from clip_hparam.config.machine import Machine
from clip_hparam.config.options.launcher_options import (
    InlineOptions,
    SubmititLocalOptions,
    SubmititSlurmOptions,
    WorkersOptions,
)
from clip_hparam.config.options.search_options import SearchOptions
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.text.synonyms import suggest_key

NODES = ("encoder", "data", "machine")


@dataclass(frozen=True)
class PrimaryConfig(SweepOptions, Recipe):
    """All keys of the command line.

    family: family of the values of the recipe; recipe files set it, and nothing hashes it.
    """

    family: str = "tiny"
    machine: Machine = field(default_factory=Machine)


@dataclass
class AblationSweeperOptions(SearchOptions):
    """hydra/sweeper=ablation: a design from sweeps/, or the levels on the command line."""

    _target_: str = "hydra_plugins.clip_hparam_plugin.sweeper.AblationSweeper"
    design: Any = None


DATA_OF_PACKAGES = {"shots": 0, "selection": "auto", "epoch_images": "auto"}
"""Keys of `data` of a data set that an entry point adds: those of conf/data/folder.yaml."""
LAUNCHERS = {
    "workers": WorkersOptions,
    "inline": InlineOptions,
    "submitit_slurm": SubmititSlurmOptions,
    "submitit_local": SubmititLocalOptions,
}
"""Options of each launcher by its name in hydra/launcher; their `_target_` is its class."""


def register_configs() -> None:
    """Store the schema, our sweeper and our launchers in Hydra's ConfigStore."""
    schema = OmegaConf.structured(PrimaryConfig)
    for node in (schema, schema.machine, schema.data, schema.encoder):
        OmegaConf.set_readonly(node, False)  # Hydra cannot compose a frozen dataclass
    sweeper = OmegaConf.structured(AblationSweeperOptions)
    OmegaConf.set_struct(sweeper.sampler, False)  # any argument of Optuna's class
    _store(name="schema", node=schema)
    _store(group="hydra/sweeper", name="ablation", node=sweeper)
    _register_installed()
    for name, options in LAUNCHERS.items():
        _store(group="hydra/launcher", name=name, node=options)


def _store(**config: Any) -> None:
    """Store a config in Hydra's ConfigStore, in place of an earlier one of its name."""
    ConfigStore.instance().store(provider="clip_hparam", **config, **REPLACE)


def _register_installed() -> None:
    """Store data=NAME and encoder=NAME for the data sets and encoders of other packages."""
    for name in entry_point_names(DATASET_GROUP):
        node = {"data": {**DATA_OF_PACKAGES, "name": name}, "hflip": 0.5}
        _store(group="data", name=name, node=node, package="_global_")
    for name in entry_point_names(ENCODER_GROUP):
        node = {"name": name, "pretrained": name}
        _store(group="encoder", name=name, node=node)


def config_tree(config: DictConfig) -> dict[str, Any]:
    """Return a composed config without Hydra's own as plain values, references as they are."""
    tree: dict[str, Any] = OmegaConf.to_container(config)  # type: ignore[assignment]
    tree.pop("hydra", None)
    return tree


def split_tree(tree: dict[str, Any]) -> tuple[Recipe, Machine, SweepOptions]:
    """Split a config without references into its recipe, machine and driver options.

    Raises:
        ValueError: a value outside its range, or a key that was added or deleted.
    """
    tree = dict(tree)
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
    """Raise ValueError for keys that `+key` added or `~key` deleted, which Hydra permits."""
    for name in tree:
        if name not in known:
            keys = [f"{prefix}{key}" for key in known]
            raise ValueError(f"unknown knob {prefix}{name}: {suggest_key(prefix + name, keys)}")
    for name in known:
        if name not in tree:
            raise ValueError(f"~{prefix}{name} deletes a knob of every trial: leave it out")


def to_plain(node: Any) -> Any:
    """Return an OmegaConf node as plain dicts and lists; other values as they are."""
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
