"""Scan of the headers of a folder, kept in the user's cache by path, size and time of change.

As with the file index, files are asked for their times only if a folder has changed.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from clip_hparam.data.file_index import MTIME_SETTLE_SECONDS, FileIndex, modification_times
from clip_hparam.data.reading.headers import HeaderFacts, read_facts
from clip_hparam.data.reading.image import is_named_jpeg
from clip_hparam.data.reading.silence_decoders import silence_pillow
from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.user_cache import cache_path

RULES_VERSION = 2
"""Of `image.read_image`; raised by a change of the pixels that it returns for any file."""
FIRST_VERSION = 1  # still that of folders in which no file is read differently since
THREADS = 8  # a network disk answers several requests at once
CHUNK_SIZE = 256  # files

Stamp = tuple[int, int]
"""Size in bytes and modification time in ns."""


class Entry(NamedTuple):
    """Facts about a file with this stamp."""

    stamp: Stamp
    facts: HeaderFacts


@dataclass(frozen=True)
class HeaderScan:
    """Summary of the headers of a folder.

    changed: number of files that the rules read differently from the code before them.
    with_frames: files with several frames or pages, of which the first is read.
    reread: number of files that version 1 of the rules read differently.
    """

    changed: int
    with_frames: tuple[str, ...]
    reread: int = 0

    def identify(self, fingerprint: str) -> str:
        """Return the fingerprint of the index, with the rules in it where they change a file."""
        if not self.changed:
            return fingerprint
        version = RULES_VERSION if self.reread else FIRST_VERSION
        return sha256(f"{fingerprint} read by rules {version}".encode()).hexdigest()


def scan_headers(root: Path, index: FileIndex, official: bool = False) -> HeaderScan:
    """Return the summary of the headers of the files of an index.

    official: as for `image.read_image`, which reads files named as JPEGs as the code before; they
        are not opened.
    """
    paths = [path for path in index.paths if not (official and is_named_jpeg(Path(path)))]
    facts = _cached_facts(root, index, paths)
    changing = HeaderFacts.PIXELS if official else HeaderFacts.PIXELS | HeaderFacts.TURNED
    return HeaderScan(
        changed=sum(bool(fact & changing) for fact in facts),
        with_frames=tuple(
            path for path, fact in zip(paths, facts, strict=True) if fact & HeaderFacts.FRAMES
        ),
        reread=sum(bool(fact & HeaderFacts.REREAD) for fact in facts),
    )


def _cached_facts(root: Path, index: FileIndex, paths: Sequence[str]) -> list[HeaderFacts]:
    """Return the facts of each path; files that the cache does not know are opened."""
    cache = cache_path("headers", str(root.resolve()))
    cached = read_json(cache) or {}
    times = modification_times(root, index.folders)
    known = _parse(str(cached.get("files"))) if cached.get("rules") == RULES_VERSION else {}
    if cached.get("folders") == times:
        unknown = [path for path in paths if path not in known]
    else:
        unknown = [p for p in paths if p not in known or known[p].stamp != _stamp(root / p)]
    known |= dict(zip(unknown, _read_entries(root, unknown), strict=True))
    settled = time.time_ns() - max(times.values(), default=0) > MTIME_SETTLE_SECONDS * 1e9
    if unknown or (settled and cached.get("folders") != times):
        kept = {path: known[path] for path in index.paths if path in known}
        tree = {
            "rules": RULES_VERSION,
            "folders": times if settled else {},
            "files": _format(kept),
        }
        with suppress(OSError):
            write_json(cache, tree)
    return [known[path].facts for path in paths]


def _read_entries(root: Path, paths: Sequence[str]) -> list[Entry]:
    chunks = [paths[start : start + CHUNK_SIZE] for start in range(0, len(paths), CHUNK_SIZE)]
    with silence_pillow(), ThreadPoolExecutor(THREADS) as threads:
        read = threads.map(lambda chunk: [_read_entry(root / path) for path in chunk], chunks)
        return [entry for entries in read for entry in entries]


def _read_entry(path: Path) -> Entry:
    return Entry(_stamp(path), read_facts(path))


def _stamp(path: Path) -> Stamp:
    """Return size and time; (-1, -1) for a missing file."""
    try:
        stat = path.stat()
    except OSError:
        return -1, -1
    return stat.st_size, stat.st_mtime_ns


def _format(entries: dict[str, Entry]) -> str:
    """Return all entries as one string; each field is followed by a NUL character."""
    return "".join(
        f"{path}\0{size}\0{mtime}\0{int(facts)}\0"
        for path, ((size, mtime), facts) in entries.items()
    )


def _parse(text: str) -> dict[str, Entry]:
    """Return the entries of a string; {} for a damaged string."""
    fields = text.split("\0")[:-1]
    columns = (fields[start::4] for start in range(4))
    with suppress(ValueError):
        return {
            path: Entry((int(size), int(mtime)), HeaderFacts(int(facts)))
            for path, size, mtime, facts in zip(*columns, strict=True)
        }
    return {}
