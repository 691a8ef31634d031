"""The label of a sample in a shard: a member .cls, .txt or .json, or the folder of its key."""

import json
from collections.abc import Collection
from typing import Any

FOLDER = "folder"
KINDS = ("cls", "txt", "json", FOLDER)
"""What a label is read from; a sample that has several is labelled by the first of them."""
JSON_KEYS = ("cls", "label", "class", "target", "category", "label_name", "class_name")
FORM = "a label is a member .cls, .txt or .json, or the folder of the key, as in n01440764/17.jpg"


def kind_of(key: str, suffixes: Collection[str]) -> str | None:
    """Return what the label of a sample is read from, None if it has none."""
    for kind in KINDS[:-1]:
        if kind in suffixes:
            return kind
    return FOLDER if "/" in key else None


def label_of(kind: str, key: str, content: bytes) -> str:
    """Return the label as text.

    content: of the member; not read for a folder.

    Raises: ValueError with a reason.
    """
    if kind == FOLDER:
        return key.split("/")[-2]
    try:
        text = content.decode("utf-8-sig").strip()
        label = text if kind != "json" else _json_label(json.loads(text))
    except UnicodeDecodeError:
        raise ValueError(f"its .{kind} is not text in UTF-8") from None
    except json.JSONDecodeError:
        raise ValueError("its .json is not JSON") from None
    if not label:
        raise ValueError(f"its .{kind} is empty")
    if "\0" in label or "\n" in label:
        raise ValueError(f"its .{kind} holds several lines, and a label is one")
    return label


def _json_label(tree: Any) -> str:
    if isinstance(tree, int | str) and not isinstance(tree, bool):
        return str(tree).strip()
    entries = [tree[key] for key in JSON_KEYS if key in tree] if isinstance(tree, dict) else []
    plain = [
        value for value in entries if isinstance(value, int | str) and not isinstance(value, bool)
    ]
    if not plain:
        raise ValueError(f"its .json has no label: one of the keys {', '.join(JSON_KEYS)}")
    return str(plain[0]).strip()
