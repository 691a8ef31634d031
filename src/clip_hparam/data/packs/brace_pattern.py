"""Brace patterns of file names: train-{000..146}.tar, {train,val}-00.tar."""

import re
from collections.abc import Iterator

BRACES = re.compile(r"\{([^{}]*)\}")
RANGE = re.compile(r"(\d+)\.\.(\d+)")
MAX_NAMES = 100_000


def has_braces(text: str) -> bool:
    """Return whether a text is a brace pattern."""
    return BRACES.search(text) is not None


def expand_braces(text: str) -> list[str]:
    """Return the names that a pattern stands for in a shell, each of them once.

    The numbers of a range have as many digits as its first one.

    Raises: ValueError for a group that is neither a range nor a list, and for too many names.
    """
    names: dict[str, None] = {}
    for name in _expanded(text):
        names[name] = None
        if len(names) > MAX_NAMES:
            raise ValueError(f"data.root={text} stands for more than {MAX_NAMES:,} files")
    return list(names)


def _expanded(text: str) -> Iterator[str]:
    match = BRACES.search(text)
    if match is None:
        yield text
        return
    for value in _values(match[1], text):
        yield from _expanded(text[: match.start()] + value + text[match.end() :])


def _values(group: str, text: str) -> Iterator[str]:
    if numbers := RANGE.fullmatch(group):
        first, last = int(numbers[1]), int(numbers[2])
        if first > last:
            raise ValueError(
                f"data.root={text} counts down from {first} to {last}: write {{{last}..{first}}}"
            )
        return (f"{number:0{len(numbers[1])}}" for number in range(first, last + 1))
    if "," in group:
        return iter(group.split(","))
    raise ValueError(
        f"data.root={text} holds {{{group}}}, which is neither a range such as {{000..146}} nor a"
        " list such as {train,val}"
    )
