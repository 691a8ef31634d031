"""Parse the driver key `eval_sets`: names, or names with the paths of their images."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

NAME = re.compile(r"[A-Za-z]\w*")
USAGE = "try 'eval_sets=[corruptions,glyphs]', or 'eval_sets=[imagenet_r:PATH]'"

CORRUPTIONS = "corruptions"
CORRUPTED_NAMES = {severity: f"corrupted_{severity}" for severity in range(1, 6)}
"""Sets of the word `corruptions`, by severity."""


class EvalSetWord(NamedTuple):
    """An evaluation set that is asked for. path: of a folder or of a description; may be empty."""

    name: str
    path: str = ""


def parse_word(word: str) -> EvalSetWord:
    """Return the parts of "NAME" or "NAME:PATH"."""
    name, _, path = word.partition(":")
    return EvalSetWord(name.strip(), path.strip())


def eval_set_words(value: Any) -> tuple[str, ...]:
    """Return the words of a value of `eval_sets`: none for null, one for a text.

    Raises: ValueError for a word that is not of this form, and for a name that is given twice.
    """
    listed = [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]
    names: set[str] = set()
    for word in listed:
        if not isinstance(word, str) or not NAME.fullmatch(parse_word(word).name):
            raise ValueError(
                f"eval_sets={value}: {word!r} is neither NAME nor NAME:PATH, where NAME holds"
                f" letters, digits and _: {USAGE}"
            )
        name = parse_word(word).name
        if name in names:
            raise ValueError(f"eval_sets={value} names {name} twice: give one of them another name")
        names.add(name)
    return tuple(listed)


def absolute_words(words: Sequence[str]) -> list[str]:
    """Return the words with absolute paths, which mean the same from any folder."""
    return [
        f"{name}:{Path(path).expanduser().absolute()}" if path else name
        for name, path in map(parse_word, words)
    ]


def set_names(words: Sequence[str]) -> list[str]:
    """Return the names of the sets in their columns; `corruptions` is one set a severity."""
    names: list[str] = []
    for name, path in map(parse_word, words):
        names += CORRUPTED_NAMES.values() if name == CORRUPTIONS and not path else [name]
    return list(dict.fromkeys(names))
