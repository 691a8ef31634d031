"""Write files atomically: to a temporary file, synced, then renamed. Read and write JSON.

NaN is null in JSON. Files of trials that lie in an archive (archive.py) are read the same way.
"""

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from clip_hparam.records import archive


@contextmanager
def open_atomic(path: Path) -> Iterator[IO[bytes]]:
    """A new file in the place of `path`, once the block has ended without an error.

    A reader sees the old file or the new one, never a part; survives a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_atomic(path: Path, content: bytes) -> None:
    with open_atomic(path) as file:
        file.write(content)


def write_json(path: Path, tree: Any) -> None:
    write_atomic(path, (json.dumps(to_jsonable(tree), indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file; None if the file is missing, cut or not an object."""
    return parse_object(archive.read_bytes(path))


def utc_timestamp() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parse_object(content: bytes | None) -> dict[str, Any] | None:
    try:
        tree = json.loads(content or b"")
    except ValueError:
        return None
    return tree if isinstance(tree, dict) else None


def parse_json_lines(lines: list[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            return


def to_jsonable(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: to_jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_jsonable(item) for item in value]
    return value
