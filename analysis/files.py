"""One JSON file of the records, or one sentence that says why it is not read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clip_hparam.records import SCHEMA, read_json


class UnreadableError(ValueError):
    """A file that must not become a number; the message is one sentence that names it."""


def read_ours(path: Path) -> dict[str, Any]:
    """The object in a file that this version understands.

    Raises UnreadableError if the file is missing, cut, foreign or of a newer schema.
    """
    tree: dict[str, Any] | None = read_json(path)
    if tree is None:
        what = "is cut or not a JSON object" if path.exists() else "is missing"
        raise UnreadableError(f"{path} {what}")
    schema = tree.get("schema")
    if not isinstance(schema, int):
        raise UnreadableError(f"{path} has no schema number: not a record of clip-hparam")
    if schema > SCHEMA:
        raise UnreadableError(
            f"{path} has record schema {schema}, this version reads up to {SCHEMA}: upgrade"
        )
    return tree


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested objects under dotted names: {"data": {"shots": 20}} -> {"data.shots": 20}."""
    return dict(_leaves(tree, prefix))


def _leaves(tree: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
