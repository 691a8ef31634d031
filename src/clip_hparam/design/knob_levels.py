"""Levels and ranges of a knob: levels of equal value are one, and a range fits its knob.

Standard library only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from clip_hparam.config.knob import AUTO, validated
from clip_hparam.config.recipe import knobs
from clip_hparam.design.ranges import Range, parse_range

Knobs = Mapping[str, Sequence[str]]
"""Texts of levels and ranges by knob."""


def parse_level(text: str) -> Any:
    """Return a text as an int or a float if it reads as one, else as it is."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def is_numeric(knob: str) -> bool:
    """Return whether a knob takes numbers, perhaps beside `auto`."""
    return knob in knobs() and _legal_interval(knob)[0] in "(["


def distinct_levels(knob: str, levels: Sequence[str]) -> list[str]:
    """Return the levels without those whose value stands before: 0.1, 0.10 and 1e-1 are one."""
    first: dict[Any, str] = {}
    for level in levels:
        first.setdefault(_value_of(knob, level), level)
    return list(first.values())


def with_distinct_levels(levels: Knobs) -> dict[str, list[str]]:
    """Return the levels of each knob without repeated ones."""
    return {knob: distinct_levels(knob, texts) for knob, texts in levels.items()}


def repeated_level_notes(levels: Knobs) -> list[str]:
    """Return a sentence for each knob with levels of equal value."""
    notes = []
    for knob, texts in levels.items():
        kept = distinct_levels(knob, texts)
        if len(kept) < len(texts):
            notes.append(
                f"{knob}={','.join(texts)} repeats a level: {knob}={','.join(kept)} is used"
            )
    return notes


def parse_knob_range(knob: str, text: str) -> Range | None:
    """Return the range in a text, None for a level; a ValueError names the knob."""
    try:
        return parse_range(text)
    except ValueError as error:
        raise ValueError(f"{knob}={error}") from None


def validate_range(knob: str, text: str, bounds: Range, *, open_ends: bool = False) -> None:
    """Raise ValueError for a range that the knob cannot have.

    open_ends: whether an end may be a number that the knob approaches, such as 1 in [0, 1).
    """
    field = knobs()[knob]
    if not is_numeric(knob):
        raise ValueError(f"{knob}={text} is a range, and {knob} has none: try {knob}=choice(a,b)")
    if field.type in (int, int | str) and not bounds.whole:
        bare = text.replace(" ", "")
        raise ValueError(f"{knob}={text} is not whole, and {knob} is: try {knob}=int({bare})")
    limits = [float(end) for end in _legal_interval(knob)[1:-1].split(",")]
    for end, limit in zip(bounds.ends, limits, strict=True):
        if not (open_ends and end == limit):
            validated(knob, end, field)


def is_legal(knob: str, value: float) -> bool:
    """Return whether a knob takes a value; keys that are no knobs take all."""
    try:
        return knob not in knobs() or validated(knob, value, knobs()[knob]) is not None
    except ValueError:
        return False


def _legal_interval(knob: str) -> str:
    legal: str = knobs()[knob].metadata["legal"]
    return legal.removeprefix(f"{AUTO} | ")


def _value_of(knob: str, level: str) -> Any:
    """Return a number for a level of a knob that takes numbers, else its text.

    A knob of whole numbers refuses 10.0, which is therefore not the level 10.
    """
    value = parse_level(level) if is_numeric(knob) else level
    if isinstance(value, str) or knobs()[knob].type in (int, int | str):
        return type(value), value
    return float(value)
