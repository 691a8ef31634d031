"""One JSON file of the records, or one sentence that says why it is not read."""

import json
from pathlib import Path
from typing import Any

from clip_hparam.records.archive import read_bytes
from clip_hparam.records.record import SCHEMA_VERSION


class UnreadableError(ValueError):
    """A file that must not become a number; the message is one sentence that names it."""


def read_record_json(path: Path) -> dict[str, Any]:
    """The object in a file that this version understands. Raises UnreadableError."""
    return parse_record_json(path, read_bytes(path))


def parse_record_json(path: str | Path, found: bytes | None) -> dict[str, Any]:
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
