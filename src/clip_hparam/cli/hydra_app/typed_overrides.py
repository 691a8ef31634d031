"""Refuse what `-m` cannot sweep: options of the driver and the machine, and keys given twice."""

from collections.abc import Sequence
from dataclasses import fields

from hydra.core.override_parser.types import Override

from clip_hparam.config.sweep_options import SweepOptions

NOT_SWEPT = {field.name for field in fields(SweepOptions)} | {"machine", "sweeps"}


def validate_typed(overrides: Sequence[Override]) -> None:
    """Raise ValueError for a swept key that is no knob, and for a swept key that is given twice."""
    mistakes = [_not_swept(override) for override in overrides if override.is_sweep_override()]
    mistakes += _given_twice(overrides)
    if found := [mistake for mistake in mistakes if mistake]:
        raise ValueError("\n".join(found))


def _not_swept(override: Override) -> str:
    """Return the mistake in sweeping this key; empty for a knob."""
    key, text = override.key_or_group, override.input_line
    values = str(text).partition("=")[2]
    if key == "tags":
        return f"{text} sweeps the tags: for these tags type tags=[{values}]"
    if key == "seeds":
        return f"{text} sweeps the number of seeds: for these seeds type seeds=[{values}]"
    if key == "sweeps":
        return f"{text} names several designs: type one command per design, sweeps=NAME"
    if key.partition(".")[0] in NOT_SWEPT:
        return f"{text} sweeps an option that all trials share: type one command per value"
    return ""


def _given_twice(overrides: Sequence[Override]) -> list[str]:
    by_key: dict[str, list[Override]] = {}
    for override in overrides:
        by_key.setdefault(override.key_or_group, []).append(override)
    return [
        f"{key} is given {len(same)} times ({', '.join(str(o.input_line) for o in same)}): keep one"
        for key, same in by_key.items()
        if len(same) > 1 and any(override.is_sweep_override() for override in same)
    ]
