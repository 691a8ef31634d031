"""Mount small or read-only file systems for a test."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(folder: Path, option: str) -> Iterator[None]:
    """Mount a file system in memory at `folder` while the block runs.

    option: of mount(8), such as "size=1m" or "ro". Without the right to mount the test is skipped;
    in CI it fails.
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
