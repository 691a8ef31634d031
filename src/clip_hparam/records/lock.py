"""Locks on folders: one writer per trial and one driver per sweep.

The kernel releases the lock when its holder exits or is killed.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from clip_hparam.records.paths import command_line, driver_lock, sweeps_folder

LOCK_FILE = ".lock"


class FolderLockedError(RuntimeError):
    """Another live process holds the lock."""


class LockHolder(NamedTuple):
    """The process that took a lock."""

    host: str
    pid: int

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@contextmanager
def lock_folder(folder: Path, name: str = LOCK_FILE, wait: bool = False) -> Iterator[None]:
    """Hold the lock file `name` in a folder while the `with` block runs.

    Raises FolderLockedError at once if a live process holds it, unless `wait`.

    flock belongs to the open file, so a killed process leaves nothing to clean up. If the lock file
    was removed while it was being locked, the lock is taken again on the new file.
    """
    held = False
    while not held:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("a") as file:
            _acquire_flock(file, folder, name, wait)
            held = _is_file_at(folder / name, file)
            if held:
                _write_holder(file)
                yield


@contextmanager
def lock_sweep(runs: Path, sweep_id: str) -> Iterator[None]:
    """Hold the lock of the driver of a sweep while the `with` block runs.

    Raises FolderLockedError with what to type if another driver of the sweep is alive.
    """
    folder, name = sweeps_folder(runs), driver_lock(sweep_id)
    with ExitStack() as stack:
        try:
            stack.enter_context(lock_folder(folder, name))
        except FolderLockedError:
            watch = command_line("status", sweep_id, "--watch", runs=runs)
            cancel = command_line("cancel", sweep_id, runs=runs)
            holder = lock_holder(folder, name) or "another process"
            raise FolderLockedError(
                f"this sweep is already run by {holder}: {watch} follows its trials, {cancel} ends"
                " them"
            ) from None
        yield


def is_locked(folder: Path, name: str = LOCK_FILE) -> bool:
    """Return whether a live process holds the lock; write nothing."""
    try:
        with (folder / name).open() as file:
            _acquire_flock(file, folder, name)
    except FileNotFoundError:
        return False
    except FolderLockedError:
        return True
    return False


def lock_holder(folder: Path, name: str = LOCK_FILE) -> LockHolder | None:
    """Return the process that holds the lock or held it last; None if unknown."""
    try:
        host, pid = (folder / name).read_text().split()
        return LockHolder(host, int(pid))
    except (OSError, ValueError):
        return None


def _write_holder(file: IO[str]) -> None:
    with suppress(OSError):  # on a full disk trials that are done must stay readable
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), f"{os.uname().nodename} {os.getpid()}\n".encode())


def _acquire_flock(file: IO[str], folder: Path, name: str, wait: bool = False) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        holder = lock_holder(folder, name)
        who = f", {holder}" if holder else ""
        raise FolderLockedError(
            f"{folder.name} is being written by another live process{who}"
        ) from None


def _is_file_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
