"""Names of the classes whose labels are numbers: from the pack, or from a file beside the packs."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from clip_hparam.data.folders.names import listed, repeated

FILES = ("classes.txt", "class_index.json", "imagenet_class_index.json")


def named_by_index(
    root: Path, labels: Collection[str], classes: Sequence[str]
) -> tuple[str, ...] | None:
    """Return the name of each number, None if the labels are the names.

    classes: those that the packs bring; else a file in the root is read: a name a line, or a JSON
    list or object by number.

    Raises: ValueError for a number without a name, and for a file that cannot be used.
    """
    names, source = tuple(classes), f"the files in {root}"
    if not names:
        files = [root / name for name in FILES if (root / name).is_file()]
        if not files or not all(label.isdecimal() for label in labels):
            return None
        names, source = _read(files[0]), str(files[0])
    require_names(source, labels, names)
    return names


def require_names(source: str, labels: Collection[str], names: Sequence[str]) -> None:
    """Raise ValueError for a label that is no number of a name, and for a name that is there twice.

    source: of the names, for the message.
    """
    wrong = [label for label in labels if not label.isdecimal() or int(label) >= len(names)]
    if wrong:
        raise ValueError(
            f"{source} names {len(names):,} classes, and an image has the label {min(wrong)}: the"
            f" labels are 0 to {len(names) - 1:,}"
        )
    twice = repeated(names)
    if twice:
        raise ValueError(f"{source} names {listed(twice)} twice: give each class its own name")


def _read(file: Path) -> tuple[str, ...]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        names = _from_json(json.loads(text)) if file.suffix == ".json" else _lines(text)
    except (UnicodeDecodeError, json.JSONDecodeError, LookupError, TypeError, ValueError):
        names = ()
    if not names or not all(names):
        raise ValueError(
            f"{file} names no classes: write a name a line, or a JSON list, or a JSON object by"
            ' number such as {"0": ["n01440764", "tench"]}'
        )
    return names


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


def _from_json(tree: Any) -> tuple[str, ...]:
    """Return the names of a list, or of an object by number; of a list of names the first."""
    values = tree if isinstance(tree, list) else [tree[str(n)] for n in range(len(tree))]
    firsts = [value[0] if isinstance(value, list) else value for value in values]
    return tuple(firsts) if all(isinstance(value, str) for value in firsts) else ()
