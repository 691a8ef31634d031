"""The keys of the command line: their fields, and sentences about keys that do not exist."""

from dataclasses import Field, fields
from functools import cache
from typing import Any

from clip_hparam.cli.hydra_app.schema import NODES, PrimaryConfig
from clip_hparam.config.knob import suggest
from clip_hparam.config.options.launcher_options import (
    OPTION_OF_NAME,
    LauncherOptions,
    option_names,
)
from clip_hparam.config.options.search_options import SearchOptions
from clip_hparam.config.text.synonyms import suggest_key

LAUNCHER, SWEEPER = "hydra.launcher", "hydra.sweeper"
GROUPS = (*NODES, "family", "recipe", "sweeps")
"""Config groups of the primary config."""


@cache
def key_fields() -> dict[str, Field[Any]]:
    """Return the field of every key by its dotted name."""
    named: dict[str, Field[Any]] = {}
    for outer in fields(PrimaryConfig):
        if outer.name in NODES:
            node: Any = outer.default_factory()  # type: ignore[operator]
            named |= {f"{outer.name}.{inner.name}": inner for inner in fields(node)}
        else:
            named[outer.name] = outer
    return named


def is_text(key: str) -> bool:
    """Return whether a key holds free text, such as a path, and no number or choice."""
    field = key_fields().get(key)
    if field is None:
        return False
    is_free = field.type is str and field.metadata.get("legal", "")[:1] == "/"
    return is_free or field.type == (str | None)


def is_list(key: str) -> bool:
    """Return whether a setting of Hydra holds a list of texts."""
    return key == "hydra.searchpath" or any(
        key == f"{LAUNCHER}.{field.name}" and str(field.type).startswith("list")
        for field in fields(LauncherOptions)
    )


def unknown_key(key: str) -> str:
    """Return the sentence about a key that does not exist."""
    node, _, name = key.rpartition(".")
    if node == SWEEPER:
        known = [field.name for field in fields(SearchOptions)]
        return f"unknown key {key}: {suggest(name, known)}"
    if node == LAUNCHER:
        return _unknown_option(key, name)
    if node == f"{LAUNCHER}.additional_parameters":
        return f"{key} is not set yet: type +{key}=VALUE to pass it to sbatch"
    return f"unknown knob {key}: {suggest_key(key, key_fields())}"


def _unknown_option(key: str, name: str) -> str:
    """Return the sentence about a key that the chosen launcher does not have."""
    if name in option_names():
        return (
            f"{key} is an option of Slurm jobs, and no Slurm is chosen: add"
            " hydra/launcher=submitit_slurm, or machine=slurm_gpu"
        )
    meant = OPTION_OF_NAME.get(name.replace("_", "-"))
    options = f"write {LAUNCHER}.{meant}" if meant else suggest(name, option_names())
    return f"unknown key {key}: {options} (hydra/launcher=submitit_slurm)"
