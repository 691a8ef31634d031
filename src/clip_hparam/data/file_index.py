"""Index of the images below a folder: relative paths and sizes, kept in the user's cache.

Listing ImageNet takes minutes on a network disk. The cached index holds the modification times of
all folders and is rebuilt when a time differs, that is, when a file was added, removed or renamed.
A file that is changed in place is not detected until the index is rebuilt. Nothing is written into
the folder itself.
"""

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.user_cache import cache_path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".pgm", ".bmp", ".tif", ".tiff", ".webp")
Inode = tuple[int, int]  # device and number
MTIME_SETTLE_SECONDS = 2.0  # within this time a further change may leave the mtime as it is


@dataclass(frozen=True)
class FileIndex:
    """Images below a root.

    paths: sorted, separated by "/". A link whose target is missing is among them, with size 0.
    sizes: bytes of each file.
    folders: all folders below the root, each ending in "/"; the root is "".
    ignored: numbers of visible files that are no images, by suffix, of each class folder.
    """

    paths: tuple[str, ...]
    sizes: tuple[int, ...]
    folders: tuple[str, ...]
    ignored: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

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

    Hidden files and hidden folders are left out. Files without a suffix of IMAGE_SUFFIXES are only
    counted.

    Raises: ValueError for a link to a folder that holds it, and for a link to a missing folder.
    """
    entry = cache_path("manifest", str(root.resolve()))
    cached = read_json(entry) or {}
    times = cached.get("folders", {})
    if _is_complete(cached) and times == modification_times(root, times):
        fields = cached["files"].split("\0")[:-1]
        sizes = tuple(int(size) for size in fields[1::2])
        return FileIndex(tuple(fields[::2]), sizes, tuple(times), cached["ignored"])
    files, times, ignored = _list_files(root)
    index = FileIndex(tuple(files), tuple(files.values()), tuple(times), ignored)
    if time.time_ns() - max(times.values()) > MTIME_SETTLE_SECONDS * 1e9:
        with suppress(OSError):
            write_json(entry, {"folders": times, "files": index.text, "ignored": ignored})
    return index


def _is_complete(cached: Mapping[str, Any]) -> bool:
    return "" in cached.get("folders", {}) and cached.keys() >= {"files", "ignored"}


def _list_files(root: Path) -> tuple[dict[str, int], dict[str, int], dict[str, dict[str, int]]]:
    """Return sizes of files (bytes) and modification times of folders (ns), sorted by path.

    The third value is `FileIndex.ignored`.
    """
    files: dict[str, int] = {}
    times: dict[str, int] = {}
    ignored: dict[str, Counter[str]] = {}
    for folder in _walk_folders(root, "", _inodes_above(root)):
        times[folder] = (root / folder).stat().st_mtime_ns
        for entry in _visible_entries(root / folder):
            broken = _is_broken_link(entry)
            if entry.name.lower().endswith(IMAGE_SUFFIXES) and (broken or entry.is_file()):
                files[folder + entry.name] = 0 if broken else entry.stat().st_size
            elif broken or not entry.is_dir():
                counts = ignored.setdefault(folder.partition("/")[0], Counter())
                counts[_ignored_suffix(root / folder / entry.name, broken)] += 1
    by_folder = {top: dict(sorted(suffixes.items())) for top, suffixes in sorted(ignored.items())}
    return dict(sorted(files.items())), dict(sorted(times.items())), by_folder


def _ignored_suffix(path: Path, broken: bool) -> str:
    """Return the suffix of a file that is no image. Raises ValueError for a link to no folder."""
    if broken and not path.suffix:
        raise ValueError(
            f"{path} is a link whose target is missing: remove it, or restore the target"
        )
    return path.suffix.lower()


def _walk_folders(root: Path, folder: str, above: tuple[Inode, ...]) -> Iterator[str]:
    """Yield a folder and all folders below it, each ending in "/"; the root is "".

    above: the folders that hold this folder. A link to one of them would never end.
    """
    stat = (root / folder).stat()
    inode = (stat.st_dev, stat.st_ino)
    if inode in above:
        raise ValueError(
            f"{root / folder} is a link to a folder that holds it, {(root / folder).resolve()}:"
            " remove the link"
        )
    yield folder
    for entry in _visible_entries(root / folder):
        if not _is_broken_link(entry) and entry.is_dir():
            yield from _walk_folders(root, f"{folder}{entry.name}/", (*above, inode))


def _inodes_above(root: Path) -> tuple[Inode, ...]:
    stats = [folder.stat() for folder in root.resolve().parents]
    return tuple((stat.st_dev, stat.st_ino) for stat in stats)


def _is_broken_link(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and not Path(entry.path).exists()


def _visible_entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]


def modification_times(root: Path, folders: Iterable[str]) -> dict[str, int]:
    """Return the present modification times in ns; a folder that was removed is left out."""
    now: dict[str, int] = {}
    for folder in folders:
        with suppress(OSError):
            now[folder] = (root / folder).stat().st_mtime_ns
    return now
