"""Find and remove files of a runs folder that are not needed; folders of live processes are kept.

quarantined   damaged files that were renamed; look at them before removing them
checkpoint    checkpoints of trials that are done
temporary     temporary files of writers that were killed
lock          locks of trials that are done, and of sweeps without a driver
code          code snapshots whose jobs have only trials that are done
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clip_hparam.launch.slurm.job_array import JobArray, list_job_arrays
from clip_hparam.records.lock import LOCK_FILE, FolderLockedError, is_locked, lock_folder
from clip_hparam.records.paths import (
    CHECKPOINT_FOLDER,
    SWEEPS_FOLDER,
    code_folder,
    driver_lock_paths,
)
from clip_hparam.records.record import Record

KINDS = ("quarantined", "checkpoint", "temporary", "lock", "code")


@dataclass(frozen=True)
class GarbageItem:
    """A file or folder that can be removed; `size` is in bytes."""

    path: Path
    kind: str
    size: int


def find_garbage(runs: Path) -> list[GarbageItem]:
    """Return the files that can be removed, in the order of KINDS, then by path."""
    folders = [path for path in runs.glob("*") if path.is_dir() and path.name != SWEEPS_FOLDER]
    items = [item for folder in folders if not is_locked(folder) for item in _trial_garbage(folder)]
    for lock in driver_lock_paths(runs):
        if not is_locked(lock.parent, lock.name):
            items.append(GarbageItem(lock, "lock", 0))
    items += _unused_code(runs)
    return sorted(items, key=lambda item: (KINDS.index(item.kind), item.path))


def remove_items(items: list[GarbageItem]) -> int:
    """Remove items and return their number; items that a process has locked since are kept."""
    removed = 0
    for item in items:
        folder, lock = item.path.parent, item.path.name if item.kind == "lock" else LOCK_FILE
        try:
            with lock_folder(folder, lock):
                _remove(item.path)
        except FolderLockedError:
            continue
        removed += 1
    return removed


def _unused_code(runs: Path) -> Iterator[GarbageItem]:
    open_arrays = [array for array in list_job_arrays(runs) if not _is_done(array)]
    scripts = [(array.folder / "submission.sh").read_text() for array in open_arrays]
    for path in code_folder(runs).glob("[!.]*"):
        if not any(path.name in script for script in scripts):
            yield GarbageItem(path, "code", _size(path))


def _is_done(array: JobArray) -> bool:
    return all(Record(array.runs, trial).result() for pack in array.packs for trial in pack)


def _trial_garbage(folder: Path) -> Iterator[GarbageItem]:
    done = Record(folder.parent, folder.name).is_done()
    for path in folder.iterdir():
        kind = _garbage_kind(path, done)
        if kind:
            yield GarbageItem(path, kind, _size(path))


def _garbage_kind(path: Path, done: bool) -> str | None:
    if ".damaged-" in path.name:
        return "quarantined"
    if path.name == LOCK_FILE:
        return "lock" if done else None
    if path.name.startswith("."):
        return "temporary"
    return "checkpoint" if path.name == CHECKPOINT_FOLDER and done else None


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
