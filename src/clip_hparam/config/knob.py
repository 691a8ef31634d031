"""A knob: a dataclass field with a legal range, and a one-sentence error for any other value.

Standard library only, so that launchers, `--help` and `status` start in milliseconds.
"""

import dataclasses
import difflib
import math
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

AUTO = "auto"
MAX_SEED = 2**32 - 1
"""The largest seed that every random number generator in use takes."""


def knob(
    default: Any,
    legal: str,
    help: str,
    *,
    hint: str = "",
    hashed: bool = True,
    value_before_introduction: Any = None,
    of_one_dataset: bool = False,
    scale: str = "linear",
) -> Any:
    """Return a dataclass field with a legal range.

    legal: an interval such as "(0, 1]", alternatives "a | b", or "/regex/". An interval with an
        integer default takes integers only. After "auto | " the value "auto" is legal too; it is
        resolved at plan time.
    hint: end of the error sentence, such as "try 0.75".
    hashed: whether the value is part of a trial's identity. Paths are not.
    value_before_introduction: value that the code used before this knob existed. Trials with this
        value keep the id that they had before (docs/records.md).
    of_one_dataset: whether "NAME:VALUE" is legal too: the value for the data set NAME, and auto for
        all others.
    scale: of an axis of its numbers in figures: "linear" or "log". Texts are categories.
    """
    metadata = {
        "legal": legal,
        "help": help,
        "hint": hint,
        "hashed": hashed,
        "value_before_introduction": value_before_introduction,
        "of_one_dataset": of_one_dataset,
        "scale": scale,
    }
    return dataclasses.field(default=default, metadata=metadata)


def in_interval(value: float, interval: str) -> bool:
    """Return whether a number lies in an interval such as "(0, 1]" or "[1, inf)"."""
    low, high = (float(end) for end in interval[1:-1].split(","))
    above = value > low if interval[0] == "(" else value >= low
    below = value < high if interval[-1] == ")" else value <= high
    return above and below and math.isfinite(value)


def is_boundary_value(value: float, legal: str) -> bool:
    """Return whether a number is a closed end of the legal interval, such as 0 in "[0, inf)"."""
    interval = legal.removeprefix(f"{AUTO} | ")
    if interval[0] not in "([":
        return False
    low, high = (float(end) for end in interval[1:-1].split(","))
    return (interval[0] == "[" and value == low) or (interval[-1] == "]" and value == high)


def validated(name: str, value: Any, field: dataclasses.Field[Any]) -> Any:
    """Return the value in the knob's type. Raises ValueError that states the legal range."""
    if field.metadata["of_one_dataset"]:
        dataset, number = split_dataset(value)
        if dataset and number.isdigit():
            return f"{dataset}:{validated(name, int(number), field)}"
    legal: str = field.metadata["legal"]
    if legal.startswith(f"{AUTO} | "):
        if value == AUTO:
            return AUTO
        legal = legal.removeprefix(f"{AUTO} | ")
    legal_value: Any
    if field.type is bool:
        legal_value = value if isinstance(value, bool) else None
    elif legal[0] in "([":
        legal_value = _as_number(value, legal, integral=takes_integers(field))
    elif legal[0] == "/":
        legal_value = value if isinstance(value, str) and re.fullmatch(legal[1:-1], value) else None
    else:
        legal_value = value if value in legal.split(" | ") else None
    if legal_value is None:
        raise ValueError(_range_message(name, value, field))
    return legal_value


def split_dataset(value: Any) -> tuple[str, str]:
    """Return NAME and VALUE of a value "NAME:VALUE", and "" and the value of any other."""
    dataset, colon, bound = str(value).partition(":")
    return (dataset, bound) if colon else ("", dataset)


def validate(node: Any, prefix: str = "") -> None:
    """Check and coerce every knob of a frozen dataclass in place; called from __post_init__."""
    for field in dataclasses.fields(node):
        if "legal" in field.metadata:
            value = _validated_with_cache(prefix + field.name, getattr(node, field.name), field)
            object.__setattr__(node, field.name, value)


def _validated_with_cache(name: str, value: Any, field: dataclasses.Field[Any]) -> Any:
    """Validate with a cache, since the trials of a sweep share most of their values."""
    try:
        return _cached_validated(name, value, field)
    except TypeError:  # a list is not hashable
        return validated(name, value, field)


_cached_validated = lru_cache(maxsize=4096, typed=True)(validated)


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the end of an error sentence about an unknown name: similar names, else all names."""
    names = sorted(known)
    close = close_names(name, names)
    return f"did you mean {' or '.join(close)}?" if close else f"choose from {', '.join(names)}"


def format_value(value: Any) -> str:
    """Return the value of a knob as text, a float in its shortest form of 6 digits."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def close_names(name: str, known: Iterable[str]) -> list[str]:
    """Return at most three names that are spelled similarly, the most similar first."""
    return difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)


def takes_integers(field: dataclasses.Field[Any]) -> bool:
    """Return whether an interval of this field holds whole numbers only."""
    return field.type is int or field.type == (int | str)


def _as_number(value: Any, interval: str, integral: bool) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if integral and not isinstance(value, int):
        return None
    if not in_interval(value, interval):
        return None
    return value if integral else float(value)


def _range_message(name: str, value: Any, field: dataclasses.Field[Any]) -> str:
    legal, hint = field.metadata["legal"], field.metadata["hint"] or _default_hint(name, field)
    if legal[0] == "/":
        rule = "is not legal" if hint else f"does not read {legal[1:-1]}"
    elif legal[-1] in ")]":
        kind = "whole number" if takes_integers(field) else "number"
        types = int if takes_integers(field) else (int, float)
        if isinstance(value, bool) or not isinstance(value, types):
            rule = f"is not a {kind} of {legal}"
        else:
            rule = f"is outside {'whole numbers of ' if takes_integers(field) else ''}{legal}"
    else:
        rule = f"is not one of {legal.replace(' | ', ', ')}"
    shown = str(value).lower() if isinstance(value, bool) else value
    return f"{name}={shown} {rule}" + (f": {hint}" if hint else "")


def _default_hint(name: str, field: dataclasses.Field[Any]) -> str:
    """Return an example of a legal value, the default; empty where the legal values are listed."""
    legal, default = field.metadata["legal"], field.default
    if legal[0] not in "(/[" and legal[-1] not in ")]":
        return ""
    shown = f"{default:g}" if isinstance(default, float) else default
    return f"try {name}={shown}" if shown not in ("", None) else ""
