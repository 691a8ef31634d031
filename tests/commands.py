"""Drive the project as its users do: by the command line."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHORT = ("epochs=1", "data.epoch_images=100")  # two optimiser steps


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


def python(*words: str | Path, cwd: Path, timeout: float = 240) -> Done:
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def sweep(*overrides: str, cwd: Path, timeout: float = 240) -> Done:
    """`python sweep.py ...`, from a folder that is not the project's."""
    return python(ROOT / "sweep.py", *overrides, cwd=cwd, timeout=timeout)


def start(*overrides: str, cwd: Path) -> subprocess.Popen[str]:
    """The same, left running in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "sweep.py"), *overrides],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
