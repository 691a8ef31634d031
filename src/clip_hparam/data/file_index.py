"""What a folder of images holds: relative paths and sizes, found once and kept in the cache.

Listing ImageNet takes minutes on a network disk. The listing is kept with the modification times
of all its folders and made again when one differs, as it does when a file is added, removed or
renamed. A file that is changed in place is noticed only by a new listing. Nothing is ever written
into the folder itself.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.user_cache import cache_path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".pgm", ".bmp", ".tif", ".tiff", ".webp")
MTIME_SETTLE_SECONDS = (
    2.0  # seconds for which a folder's modification time may miss a further change
)


@dataclass(frozen=True)
class FileIndex:
    """Paths of the images below the root, with / and sorted, their sizes, and all folders."""

    paths: tuple[str, ...]
    sizes: tuple[int, ...]
    folders: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(
            f"{path}\0{size}\0" for path, size in zip(self.paths, self.sizes, strict=True)
        )

    @property
    def fingerprint(self) -> str:
        """sha256 of the paths and sizes: the same wherever the folder lies."""
        return hashlib.sha256(os.fsencode(self.text)).hexdigest()


def index_folder(root: Path) -> FileIndex:
    """The images in a folder and in all that is below it.

    Hidden files and folders, and files whose suffix is not one of SUFFIXES, are left out.
    """
    entry = cache_path("manifest", str(root.resolve()))
    known = read_json(entry) or {}
    times = known.get("folders", {})
    if "" in times and "files" in known and times == _modification_times(root, times):
        fields = known["files"].split("\0")[:-1]
        sizes = tuple(int(size) for size in fields[1::2])
        return FileIndex(tuple(fields[::2]), sizes, tuple(times))
    files, times = _list_files(root)
    listed = FileIndex(tuple(files), tuple(files.values()), tuple(times))
    if time.time_ns() - max(times.values()) > MTIME_SETTLE_SECONDS * 1e9:
        with suppress(OSError):
            write_json(entry, {"folders": times, "files": listed.text})
    return listed


def _list_files(root: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Sizes of files and modification times of folders, by path, sorted."""
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
    """A folder and all below it, each ending in / but for the root, which is empty."""
    yield folder
    for entry in os.scandir(root / folder):
        if entry.is_dir() and _is_visible(entry):
            yield from _walk_folders(root, f"{folder}{entry.name}/")


def _is_visible(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".")


def _modification_times(root: Path, folders: dict[str, int]) -> dict[str, int]:
    """Modification times as they are now; a folder that is gone is left out."""
    now: dict[str, int] = {}
    for folder in folders:
        with suppress(OSError):
            now[folder] = (root / folder).stat().st_mtime_ns
    return now
