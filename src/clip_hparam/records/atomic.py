"""Read and write files in one step: a temporary file is written, synced and renamed.

NaN is null in JSON. `read_json` also reads files of archived trials (archive.py).
"""

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import IO, Any

from clip_hparam.records import archive


@contextmanager
def open_atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that replaces `path` when the `with` block ends without an error.

    A reader sees the old file or the new one, never a part, also after a power failure.
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
    """Replace a file in one step."""
    with open_atomic(path) as file:
        file.write(content)


def write_json(path: Path, tree: Any) -> None:
    """Replace a JSON file in one step; NaN and infinity become null."""
    write_atomic(path, (json.dumps(to_jsonable(tree), indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; None if it is missing, cut off or not an object."""
    return parse_object(archive.read_bytes(path))


def utc_timestamp() -> str:
    """Return the time now in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parse_object(content: bytes | None) -> dict[str, Any] | None:
    """Return the JSON object in a file's content; None if it is cut off or not an object."""
    try:
        tree = json.loads(content or b"")
    except ValueError:
        return None
    return tree if isinstance(tree, dict) else None


def parse_json_lines(content: bytes) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON-lines file up to the first line that is cut off."""
    for line in content.decode(errors="replace").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return


def quarantine(path: Path, content: bytes | None = None) -> Path:
    """Rename a damaged file to NAME.damaged-N, which nothing reads, and return the new path.

    content: of a file that is only in an archive; it is copied, and the archive stays as it is.
    """
    candidates = (path.with_name(f"{path.name}.damaged-{n}") for n in count(1))
    target = next(candidate for candidate in candidates if not candidate.exists())
    if path.exists():
        return path.replace(target)
    write_atomic(target, content or b"")
    return target


def to_jsonable(value: Any) -> Any:
    """Return a value with tuples as lists, and NaN and infinity as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: to_jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_jsonable(item) for item in value]
    return value
