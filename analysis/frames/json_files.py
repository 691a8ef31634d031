"""Read one JSON file of the records, or raise UnreadableError with the reason."""

import json
from pathlib import Path
from typing import Any

from clip_hparam.records.archive import read_bytes
from clip_hparam.records.record import SCHEMA_VERSION


class UnreadableError(ValueError):
    """A file whose numbers must not be used; the message is one sentence with its path."""


def read_record_json(path: Path) -> dict[str, Any]:
    """Return the JSON object of a record's file.

    Raises:
        UnreadableError: the file is missing, cut, foreign or of a newer schema.
    """
    return parse_record_json(path, read_bytes(path))


def parse_record_json(path: str | Path, content: bytes | None) -> dict[str, Any]:
    """Return the JSON object in a file's content; content None: the file is missing.

    Raises:
        UnreadableError: the file is missing, cut, foreign or of a newer schema.
    """
    if content is None:
        raise UnreadableError(f"{path} is missing")
    try:
        tree = json.loads(content)
    except ValueError:
        tree = None
    if not isinstance(tree, dict):
        raise UnreadableError(f"{path} is truncated or not a JSON object")
    schema = tree.get("schema")
    if not isinstance(schema, int):
        raise UnreadableError(f"{path} has no schema number: not a record of clip-hparam")
    if schema > SCHEMA_VERSION:
        raise UnreadableError(
            f"{path} has record schema {schema}, this version reads up to {SCHEMA_VERSION}: upgrade"
        )
    return tree
