"""The user's cache of facts that are slow to compute, such as hashes of large files.

The folder is $CLIP_HPARAM_CACHE, else clip-hparam under $XDG_CACHE_HOME or ~/.cache. It may be
deleted at any time. Where it cannot be written, the facts are computed again.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from clip_hparam.records.atomic import read_json, sha256_of, write_json


def cache_folder() -> Path:
    """Return the cache folder, which may not exist; "~" is not expanded."""
    if chosen := os.environ.get("CLIP_HPARAM_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "clip-hparam"


def sha256_cached(path: Path) -> str:
    """Return the SHA-256 of a file; read it only if its size or modification time has changed."""
    path = path.resolve()
    stat = path.stat()
    facts = {"path": str(path), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    entry = cache_path("sha256", str(path))
    known = read_json(entry) or {}
    if known.items() >= facts.items() and "sha256" in known:
        return str(known["sha256"])
    digest = sha256_of(path)
    with suppress(OSError):
        write_json(entry, {**facts, "sha256": digest})
    return digest


def cache_path(kind: str, key: str) -> Path:
    """Return the JSON file for the facts about `key`, which may not exist."""
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    return cache_folder().expanduser() / kind / f"{name}.json"
