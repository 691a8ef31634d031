"""One JSON file of the records, or one sentence that says why it is not read."""

import json
from pathlib import Path
from typing import Any

from clip_hparam.records.archive import read_bytes
from clip_hparam.records.record import SCHEMA_VERSION


class UnreadableError(ValueError):
    """A file that must not become a number; the message is one sentence that names it."""


def read_ours(path: Path) -> dict[str, Any]:
    """The object in a file that this version understands. Raises UnreadableError."""
    return ours(path, read_bytes(path))


def ours(path: str | Path, found: bytes | None) -> dict[str, Any]:
    """The object in a file's content.

    Raises UnreadableError if it is missing, cut, foreign or of a newer schema.
    """
    if found is None:
        raise UnreadableError(f"{path} is missing")
    try:
        tree = json.loads(found)
    except ValueError:
        tree = None
    if not isinstance(tree, dict):
        raise UnreadableError(f"{path} is cut or not a JSON object")
    schema = tree.get("schema")
    if not isinstance(schema, int):
        raise UnreadableError(f"{path} has no schema number: not a record of clip-hparam")
    if schema > SCHEMA_VERSION:
        raise UnreadableError(
            f"{path} has record schema {schema}, this version reads up to {SCHEMA_VERSION}: upgrade"
        )
    return tree


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested objects under dotted names: {"data": {"shots": 20}} -> {"data.shots": 20}."""
    flat: dict[str, Any] = {}
    _fill(flat, tree, prefix)
    return flat


def _fill(flat: dict[str, Any], tree: dict[str, Any], prefix: str) -> None:
    for name, value in tree.items():
        if type(value) is dict:
            _fill(flat, value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
