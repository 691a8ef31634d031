"""The page of `clip-hparam knobs NAME`: what a knob means, its values, and what to type."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from clip_hparam.cli.reference.entries import Entry
from clip_hparam.cli.reference.groups import GROUPS
from clip_hparam.cli.reference.help_page import WHOLE_WORDS, terminal_width
from clip_hparam.cli.reference.knob_notes import NOTES
from clip_hparam.config.text.override_words import format_override, sweep_program

INTERVAL = re.compile(r"([\[(])([^,]+), ([^\])]+)([\])])")
TITLE_WIDTH = 13
SHARED_GROUPS = ("machine", "driver")
"""Groups whose knobs are the same in all trials of a sweep."""
NOT_HASHED = "not part of a trial's id: another value is the same trial"


def knob_lines(entry: Entry, value: Any, swept_by: Sequence[str]) -> Iterator[str]:
    """Yield the page about one knob.

    value: in use where nothing is typed. swept_by: names of the sweeps that vary the knob.
    """
    yield from textwrap.wrap(f"{entry.name}: {entry.meaning}", terminal_width(), **WHOLE_WORDS)
    yield ""
    for title, text in _facts(entry, value, swept_by).items():
        if text:
            yield from _fact(title, text)
    yield ""
    yield "Type"
    typed = dict(_commands(entry, swept_by[:1]))
    width = max(map(len, typed))
    for command, purpose in typed.items():
        yield f"  {command:<{width}}  {purpose}"


def effect_of(entry: Entry) -> str:
    """Return the effect of a knob; empty for keys that do not change results."""
    note = NOTES.get(entry.name)
    return note.effect if note else ""


def readable_values(legal: str) -> str:
    """Return legal values in words: "number in (0, 1]" is "number above 0, at most 1"."""
    return INTERVAL.sub(_readable_interval, legal).replace(" in ", " ")


def _readable_interval(match: re.Match[str]) -> str:
    opening, low, high, closing = match.groups()
    below = f"{'below' if closing == ')' else 'at most'} {high}"
    if high == "inf":
        return f"above {low}" if opening == "(" else f"of {low} or more"
    if opening == "[":
        return f"from {low} to {'below ' if closing == ')' else ''}{high}"
    return f"above {low}, {below}"


def _facts(entry: Entry, value: Any, swept_by: Sequence[str]) -> dict[str, str]:
    own = "" if entry.default is None else format_override(entry.name, entry.default)
    is_same = value == entry.default
    return {
        "values": readable_values(entry.legal) or entry.hint.removeprefix("try "),
        "example": entry.hint.removeprefix("try ") if entry.legal else "",
        "unit": entry.unit,
        "default": own if is_same else "",
        "in use": "" if is_same else f"{format_override(entry.name, value)}, of the default recipe",
        "in the code": "" if is_same else f"{own}, for recipes that do not set it",
        "effect": effect_of(entry),
        "identity": "part of a trial's id: another value is another trial"
        if entry.hashed
        else NOT_HASHED,
        "also called": ", ".join(entry.synonyms),
        "designs": "" if entry.group in SHARED_GROUPS else ", ".join(swept_by),
        "group": f"{entry.group}: {GROUPS[entry.group]}",
    }


def _fact(title: str, text: str) -> Iterator[str]:
    """Yield a title, and a text that is wrapped in a second column."""
    lines = textwrap.wrap(text, terminal_width() - TITLE_WIDTH - 2, **WHOLE_WORDS)
    for number, line in enumerate(lines):
        yield f"  {'' if number else title:<{TITLE_WIDTH}}{line}"


def _commands(entry: Entry, swept_by: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield commands with the knob, and the purpose of each."""
    program = sweep_program()
    if entry.group in SHARED_GROUPS:
        yield f"{program} ... {entry.name}=VALUE", "beside other words"
        return
    yield f"{program} {entry.name}=VALUE", "one trial"
    yield f"{program} -m {entry.name}=A,B seeds=3", "two values, 3 seeds each"
    for name in swept_by:
        yield f"{program} -m sweeps={name}", "a design that varies it"
