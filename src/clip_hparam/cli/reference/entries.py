"""Every key of the command line with its meaning, unit, legal values and default."""

import dataclasses
from functools import cache
from typing import Any, NamedTuple

from clip_hparam.cli.reference.groups import GROUPS, MEANINGS, UNITS, group_names
from clip_hparam.config.knob import AUTO, suggest, takes_integers
from clip_hparam.config.machine import Machine
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.recipe import knobs
from clip_hparam.config.text.override_words import format_override
from clip_hparam.config.text.synonyms import SYNONYMS, suggest_key


class Entry(NamedTuple):
    """A key: `legal` describes its values, `hashed` is whether it is part of a trial's id."""

    name: str
    group: str
    meaning: str
    unit: str
    legal: str
    default: Any
    hashed: bool
    hint: str
    synonyms: tuple[str, ...]

    @property
    def typed(self) -> str:
        """The key with its default, as it can be typed."""
        return format_override(self.name, self.default)

    def to_dict(self) -> dict[str, Any]:
        return {**self._asdict(), "synonyms": list(self.synonyms)}


@cache
def entries() -> dict[str, Entry]:
    """Return every key by its name, in the order of the groups."""
    machine = {f"machine.{field.name}": field for field in dataclasses.fields(Machine)}
    driver = {field.name: field for field in dataclasses.fields(SweepOptions)}
    fields = {**knobs(), **machine, **driver}
    groups = group_names(list(fields))
    listed = [_entry(name, field, groups[name]) for name, field in fields.items()]
    order = list(GROUPS)
    return {entry.name: entry for entry in sorted(listed, key=lambda e: order.index(e.group))}


def find_entry(name: str) -> Entry:
    """Return the entry of a key.

    Raises:
        ValueError: there is no such key; the message names those that may be meant.
    """
    if name in entries():
        return entries()[name]
    hint = suggest_key(name, entries())
    if hint.startswith("--help"):
        hint = f"a group is one of {', '.join(GROUPS)}; clip-hparam knobs lists all knobs"
    raise ValueError(f"no knob is called {name}: {hint}")


def of_group(group: str) -> list[Entry]:
    """Return the entries of a group; ValueError if there is no such group."""
    if group not in GROUPS:
        raise ValueError(f"no group of knobs is called {group}: {suggest(group, GROUPS)}")
    return [entry for entry in entries().values() if entry.group == group]


def _entry(name: str, field: dataclasses.Field[Any], group: str) -> Entry:
    metadata = field.metadata
    return Entry(
        name,
        group,
        metadata.get("help") or MEANINGS.get(name, ""),
        UNITS.get(name, ""),
        _legal_text(field),
        None if field.default is dataclasses.MISSING else field.default,
        bool(metadata.get("hashed")) and name in knobs(),
        metadata.get("hint", ""),
        SYNONYMS.get(name, ()),
    )


def _legal_text(field: dataclasses.Field[Any]) -> str:
    """Return "number in (0, 1]", "auto, or whole number in [1, inf)", "one of cls, clip", ..."""
    legal = field.metadata.get("legal", "")
    if not legal:
        return "true or false" if field.type is bool else ""
    optional, rest = "", legal
    if legal.startswith(f"{AUTO} | ") and legal.removeprefix(f"{AUTO} | ")[0] in "([":
        optional, rest = f"{AUTO}, or ", legal.removeprefix(f"{AUTO} | ")
    if rest[0] in "([":
        return f"{optional}{'whole number' if takes_integers(field) else 'number'} in {rest}"
    if rest[0] == "/":
        return ""
    return f"one of {rest.replace(' | ', ', ')}"
