"""One writer a trial folder: a lock that the kernel gives back when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

LOCK_FILE = ".lock"


class FolderLockedError(RuntimeError):
    """Another live process holds the folder."""


class LockHolder(NamedTuple):
    """The process that claimed a folder."""

    host: str
    pid: int


@contextmanager
def lock_folder(folder: Path, name: str = LOCK_FILE, wait: bool = False) -> Iterator[None]:
    """Hold `folder` while the block runs.

    Raises BusyError at once if a live process holds it, unless told to wait for it.

    flock goes with the open file, so a killed process leaves nothing to clean up. A lock file that
    was removed while we took it holds nothing: it is taken anew.
    """
    held = False
    while not held:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("a") as file:
            _acquire_flock(file, folder, wait)
            held = _is_file_at(folder / name, file)
            if held:
                _write_holder(file)
                yield


def is_locked(folder: Path, name: str = LOCK_FILE) -> bool:
    """Whether a live process holds `folder`; writes nothing."""
    try:
        with (folder / name).open() as file:
            _acquire_flock(file, folder)
    except FileNotFoundError:
        return False
    except FolderLockedError:
        return True
    return False


def lock_holder(folder: Path, name: str = LOCK_FILE) -> LockHolder | None:
    """Who holds `folder`, or held it last; None if that is not known."""
    try:
        host, pid = (folder / name).read_text().split()
        return LockHolder(host, int(pid))
    except (OSError, ValueError):
        return None


def _write_holder(file: IO[str]) -> None:
    """A disk that is full must not keep anyone from reading what is done."""
    with suppress(OSError):
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), f"{os.uname().nodename} {os.getpid()}\n".encode())


def _acquire_flock(file: IO[str], folder: Path, wait: bool = False) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise FolderLockedError(f"{folder.name} is being written by another live process") from None


def _is_file_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
