"""One writer a trial folder: a lock that the kernel gives back when its holder dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Busy(RuntimeError):
    """Another live process holds the folder."""


@contextmanager
def claim(folder: Path, name: str = ".lock") -> Iterator[None]:
    """Hold `folder` while the block runs. Raises Busy at once if a live process holds it.

    flock goes with the open file, so a killed process leaves nothing to clean up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"{folder.name} is being written by another live process") from None
        yield
