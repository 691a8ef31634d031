"""Finished trials of a sweep in one file, read where it lies. Standard library only.

    runs/.packs/<sweep_id>.zip    members TRIAL_ID/NAME, as they lay in the runs folder

A trial lies in a pack if its own folder has no recipe.json. `clip-hparam pack` makes packs,
`unzip -d runs runs/.packs/<sweep_id>.zip` takes one apart.
"""

import os
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from zipfile import BadZipFile, ZipFile

from clip_hparam.records.paths import archives_folder

ArchivedFiles = Mapping[str, Mapping[str, ZipFile]]
"""Trial id -> name of a file -> the pack that holds it."""


def open_archives(runs: Path | str) -> ArchivedFiles:
    """What lies in the packs of a runs folder; a pack that cannot be read holds nothing."""
    folder = archives_folder(runs)
    try:
        return _open_archives(folder, folder.stat().st_mtime_ns)
    except OSError:  # there is none, or what is there cannot be read
        return {}


def damaged_archives(runs: Path | str) -> list[Path]:
    """Packs that cannot be opened, or have a member that is not what was written."""
    return [path for path in _archive_paths(archives_folder(runs)) if not _is_intact(path)]


def read_bytes(path: Path | str) -> bytes | None:
    """The bytes of RUNS/TRIAL_ID/NAME, there or in a pack; None if it is in neither.

    Half the time of Path.read_bytes: a plan of ten thousand trials reads forty thousand files.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return _read_archived(Path(path))
    try:
        return os.read(file, os.fstat(file).st_size)
    except OSError:
        return None
    finally:
        os.close(file)


def signature(runs: Path | str, trial_id: str) -> int:
    """Changes when what is packed of a trial does; the same in every process."""
    files = sorted(open_archives(runs).get(trial_id, {}).items())
    return hash(tuple(pack.getinfo(f"{trial_id}/{name}").CRC for name, pack in files))


@lru_cache(maxsize=4)
def _open_archives(folder: Path, changed: int) -> ArchivedFiles:
    """`changed`: when a pack last came or went; each is written beside its place and renamed."""
    found: dict[str, dict[str, ZipFile]] = {}
    for path in _archive_paths(folder):
        try:
            pack = ZipFile(path)
        except (OSError, BadZipFile):
            continue
        for member in pack.namelist():
            trial_id, _, name = member.partition("/")
            found.setdefault(trial_id, {})[name] = pack
    return MappingProxyType(found)


def _read_archived(path: Path) -> bytes | None:
    folder = path.parent
    pack = open_archives(folder.parent).get(folder.name, {}).get(path.name)
    if pack is None or (folder / "recipe.json").exists():
        return None
    try:
        return pack.read(f"{folder.name}/{path.name}")
    except (OSError, BadZipFile, zlib.error):  # damaged since
        return None


def _archive_paths(folder: Path) -> list[Path]:
    """Oldest first: what was packed again counts as it was packed last."""
    return sorted(folder.glob("[!.]*.zip"), key=lambda path: path.stat().st_mtime_ns)


def _is_intact(path: Path) -> bool:
    try:
        with ZipFile(path) as pack:
            return pack.testzip() is None
    except (OSError, BadZipFile, zlib.error):
        return False
