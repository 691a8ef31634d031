"""Names of folders and classes: how they are compared, and how messages show them."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

MAX_LISTED = 5  # names in a message


def normalized(name: str) -> str:
    """Return the form in which class names are compared."""
    return unicodedata.normalize("NFC", name)


def readable(name: str) -> str:
    """Return a name for a message; letters that look the same are escaped."""
    plain = name.isprintable() and unicodedata.is_normalized("NFC", name) and name == name.strip()
    return name if plain else ascii(name)


def cell_text(value: Any) -> str:
    """Return a cell of a table as text without spaces around it; empty for None."""
    return "" if value is None else str(value).strip()


def listed(names: Sequence[str]) -> str:
    """Return the first names as text, with the number of the others."""
    more = len(names) - MAX_LISTED
    return ", ".join(map(readable, names[:MAX_LISTED])) + (f" and {more} more" if more > 0 else "")


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)
