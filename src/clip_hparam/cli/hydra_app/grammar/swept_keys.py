"""Refuse keys that `-m` cannot sweep: options of the driver and the machine, keys given twice."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override, RangeSweep

from clip_hparam.cli.hydra_app.grammar.keys import is_list, is_text
from clip_hparam.cli.hydra_app.grammar.levels import override_levels
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.text.override_words import format_override
from clip_hparam.design.design import key_of

LIST_SETTINGS = ("hydra.sweeper.objective", "hydra.sweeper.direction")
NOT_SWEPT = {field.name for field in fields(SweepOptions)} | {"machine", "sweeps"}


def validate_typed(overrides: Sequence[Override]) -> None:
    """Raise ValueError for a swept key that is no knob, and for a swept key that is given twice."""
    mistakes = [_not_swept(override) for override in overrides if override.is_sweep_override()]
    mistakes += _given_twice(overrides)
    if found := [mistake for mistake in mistakes if mistake]:
        raise ValueError("\n".join(found))


def shared_overrides(tree: Mapping[str, Any]) -> list[str]:
    """Return the overrides in the base of a design that all its trials share: driver and machine.

    Raises:
        ValueError: such an override in a step or as a knob, or a config group of the machine.
    """
    base = tree.get("base")
    words = [word for word in base if isinstance(word, str)] if isinstance(base, list) else []
    shared = [word for word in words if _is_shared(key_of(word))]
    steps = tree.get("steps")
    of_steps = [
        word
        for step in (steps if isinstance(steps, list) else [])
        if isinstance(step, Mapping) and isinstance(step.get("overrides"), list)
        for word in map(str, step["overrides"])
        if _is_shared(key_of(word))
    ]
    varied = [str(knob) for knob in tree.get("knobs") or () if _is_shared(str(knob))]
    if of_steps or varied:
        raise ValueError(
            f"design {tree.get('name')} varies {(of_steps + varied)[0]}, which all trials share:"
            " type it on the command line, or write it in the base"
        )
    if "machine" in map(key_of, shared):
        raise ValueError(
            f"design {tree.get('name')} chooses a machine in its base: type machine=... on the"
            " command line"
        )
    return shared


def not_shared_message(keys: Iterable[str]) -> str:
    """Return the sentence about keys that differ between trials although all share them."""
    shared = [key for key in keys if _is_shared(key)]
    return (
        f"{' and '.join(shared)} would differ between the trials of this sweep, which share one:"
        " refer to knobs that have one value in the sweep"
    )


def _is_shared(key: str) -> bool:
    return key.partition(".")[0] in NOT_SWEPT


def _not_swept(override: Override) -> str:
    """Return the mistake in sweeping this key; empty for a knob."""
    key, text = override.key_or_group, override.input_line
    values = _listed(override)
    if key == "seeds":
        listed = shlex.quote(f"seeds=[{values}]")
        return f"{text} sweeps the number of seeds: for these seeds type {listed}"
    if key in ("tags", "tracker"):
        listed = shlex.quote(f"{key}=[{values}]")
        what = "tags" if key == "tags" else "trackers"
        return f"{text} sweeps the {what}: for these {what} type {listed}"
    if key == "family":
        return f"{text} names several families: type one command per family, family=NAME"
    if key == "sweeps":
        return f"{text} names several designs: type one command per design, sweeps=NAME"
    if is_text(key) and _is_one_path(path := values.replace('"', "")):
        as_text = shlex.quote(format_override(key, path))
        return f"{text} gives several values, and {path} is a path that exists: type {as_text}"
    if _is_shared(key):
        return f"{text} sweeps an option that all trials share: type one command per value"
    return ""


def _is_one_path(listed: str) -> bool:
    """Return whether values with commas are one path that exists, and not several that all do."""
    parts = [Path(part).expanduser() for part in listed.split(",")]
    return Path(listed).expanduser().exists() and not all(part.exists() for part in parts)


def several_settings(override: Override) -> str:
    """Return the sentence about a setting of Hydra that was given several values."""
    key, text = override.key_or_group, str(override.input_line)
    if key.startswith("hydra.sweeper.params."):
        knob = key.removeprefix("hydra.sweeper.params.")
        return f"{text} is a range or a list: type {shlex.quote(f'{knob}={_listed(override)}')}"
    if key in LIST_SETTINGS or is_list(key):
        listed = shlex.quote(f"{key}=[{_listed(override)}]")
        return f"{text} gives several values: for a list type {listed}"
    return f"{text} gives several values, and {key} has one: type one command per value"


def _listed(override: Override) -> str:
    """Return the values of a swept key with commas; a range of numbers as its numbers."""
    if isinstance(override._value, RangeSweep):
        return ",".join(override_levels(override))
    return str(override.input_line).partition("=")[2]


def _given_twice(overrides: Sequence[Override]) -> list[str]:
    by_key: dict[str, list[Override]] = {}
    for override in overrides:
        by_key.setdefault(override.key_or_group, []).append(override)
    return [
        f"{key} is given {len(same)} times ({', '.join(str(o.input_line) for o in same)}): keep one"
        for key, same in by_key.items()
        if len(same) > 1 and any(override.is_sweep_override() for override in same)
    ]
