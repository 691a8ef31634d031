"""Index of the images below a folder: relative paths and sizes, kept in the user's cache.

Listing ImageNet takes minutes on a network disk. The cached index holds the modification times of
all folders and is rebuilt when a time differs, that is, when a file was added, removed or renamed.
A file that is changed in place is not detected until the index is rebuilt. Nothing is written into
the folder itself.
"""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.user_cache import cache_path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".pgm", ".bmp", ".tif", ".tiff", ".webp")
MTIME_SETTLE_SECONDS = 2.0  # within this time a further change may leave the mtime as it is


@dataclass(frozen=True)
class FileIndex:
    """Images below a root.

    paths: sorted, separated by "/".
    sizes: bytes of each file.
    folders: all folders below the root, each ending in "/"; the root is "".
    """

    paths: tuple[str, ...]
    sizes: tuple[int, ...]
    folders: tuple[str, ...]

    @property
    def text(self) -> str:
        """Paths and sizes as one string, each followed by a NUL character."""
        return "".join(
            f"{path}\0{size}\0" for path, size in zip(self.paths, self.sizes, strict=True)
        )

    @property
    def fingerprint(self) -> str:
        """Sha256 of the paths and sizes; it does not depend on where the folder is."""
        return hashlib.sha256(os.fsencode(self.text)).hexdigest()


def index_folder(root: Path) -> FileIndex:
    """Return the index of a folder and all folders below it, from the cache if it is up to date.

    Hidden files, hidden folders and files without a suffix of IMAGE_SUFFIXES are left out.
    """
    entry = cache_path("manifest", str(root.resolve()))
    cached = read_json(entry) or {}
    times = cached.get("folders", {})
    if "" in times and "files" in cached and times == modification_times(root, times):
        fields = cached["files"].split("\0")[:-1]
        sizes = tuple(int(size) for size in fields[1::2])
        return FileIndex(tuple(fields[::2]), sizes, tuple(times))
    files, times = _list_files(root)
    index = FileIndex(tuple(files), tuple(files.values()), tuple(times))
    if time.time_ns() - max(times.values()) > MTIME_SETTLE_SECONDS * 1e9:
        with suppress(OSError):
            write_json(entry, {"folders": times, "files": index.text})
    return index


def _list_files(root: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Return sizes of files (bytes) and modification times of folders (ns), sorted by path."""
    files: dict[str, int] = {}
    times: dict[str, int] = {}
    for folder in _walk_folders(root, ""):
        times[folder] = (root / folder).stat().st_mtime_ns
        for entry in os.scandir(root / folder):
            if (
                entry.name.lower().endswith(IMAGE_SUFFIXES)
                and _is_visible(entry)
                and entry.is_file()
            ):
                files[folder + entry.name] = entry.stat().st_size
    return dict(sorted(files.items())), dict(sorted(times.items()))


def _walk_folders(root: Path, folder: str) -> Iterator[str]:
    """Yield a folder and all folders below it, each ending in "/"; the root is ""."""
    yield folder
    for entry in os.scandir(root / folder):
        if entry.is_dir() and _is_visible(entry):
            yield from _walk_folders(root, f"{folder}{entry.name}/")


def _is_visible(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".")


def modification_times(root: Path, folders: Iterable[str]) -> dict[str, int]:
    """Return the present modification times in ns; a folder that was removed is left out."""
    now: dict[str, int] = {}
    for folder in folders:
        with suppress(OSError):
            now[folder] = (root / folder).stat().st_mtime_ns
    return now
