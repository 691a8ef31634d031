"""File systems of a test's own: a small one, one that cannot be written."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(folder: Path, option: str) -> Iterator[None]:
    """A file system in memory lies at `folder`, as "size=1m" or "ro", while the block runs.

    In CI one that cannot be mounted is a failure; elsewhere, without the right to, it is skipped.
    """
    folder.mkdir()
    done = mount("-t", "tmpfs", "-o", option, "none", str(folder))
    if done.returncode and "CI" not in os.environ:
        pytest.skip(f"no right to mount: {done.stderr}")
    assert not done.returncode, done.stderr
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def mount(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
