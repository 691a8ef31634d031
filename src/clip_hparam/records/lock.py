"""One writer a trial folder: a lock that the kernel gives back when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

LOCK = ".lock"


class BusyError(RuntimeError):
    """Another live process holds the folder."""


class Holder(NamedTuple):
    """The process that claimed a folder."""

    host: str
    pid: int


@contextmanager
def claim(folder: Path, name: str = LOCK, wait: bool = False) -> Iterator[None]:
    """Hold `folder` while the block runs.

    Raises BusyError at once if a live process holds it, unless told to wait for it.

    flock goes with the open file, so a killed process leaves nothing to clean up. A lock file that
    was removed while we took it holds nothing: it is taken anew.
    """
    held = False
    while not held:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("a") as file:
            _lock(file, folder, wait)
            held = _is_at(folder / name, file)
            if held:
                _sign(file)
                yield


def is_claimed(folder: Path, name: str = LOCK) -> bool:
    """Whether a live process holds `folder`; writes nothing."""
    try:
        with (folder / name).open() as file:
            _lock(file, folder)
    except FileNotFoundError:
        return False
    except BusyError:
        return True
    return False


def holder(folder: Path, name: str = LOCK) -> Holder | None:
    """Who holds `folder`, or held it last; None if that is not known."""
    try:
        host, pid = (folder / name).read_text().split()
        return Holder(host, int(pid))
    except (OSError, ValueError):
        return None


def _sign(file: IO[str]) -> None:
    """A disk that is full must not keep anyone from reading what is done."""
    with suppress(OSError):
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), f"{os.uname().nodename} {os.getpid()}\n".encode())


def _lock(file: IO[str], folder: Path, wait: bool = False) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise BusyError(f"{folder.name} is being written by another live process") from None


def _is_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
