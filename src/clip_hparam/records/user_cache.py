"""What is costly to find out about a large file, kept in the user's cache folder.

The folder is $CLIP_HPARAM_CACHE, else clip-hparam under $XDG_CACHE_HOME or ~/.cache. It may be
deleted at any time; where it cannot be written, things are found out again.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from clip_hparam.records.atomic import read_json, sha256_of, write_json


def cache_folder() -> Path:
    own = os.environ.get("CLIP_HPARAM_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "clip-hparam"


def sha256_cached(path: Path) -> str:
    """sha256 of a file, read again only if its size or modification time has changed."""
    path = path.resolve()
    stat = path.stat()
    seen = {"path": str(path), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    entry = cache_path("sha256", str(path))
    known = read_json(entry) or {}
    if known.items() >= seen.items() and "sha256" in known:
        return str(known["sha256"])
    digest = sha256_of(path)
    with suppress(OSError):
        write_json(entry, {**seen, "sha256": digest})
    return digest


def cache_path(kind: str, key: str) -> Path:
    """The JSON file that may hold what is known about `key`."""
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    return cache_folder().expanduser() / kind / f"{name}.json"
