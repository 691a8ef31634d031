"""One writer a trial folder: a lock that the kernel gives back when its holder dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class BusyError(RuntimeError):
    """Another live process holds the folder."""


@contextmanager
def claim(folder: Path, name: str = ".lock") -> Iterator[None]:
    """Hold `folder` while the block runs. Raises BusyError at once if a live process holds it.

    flock goes with the open file, so a killed process leaves nothing to clean up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"{folder.name} is being written by another live process") from None
        yield
