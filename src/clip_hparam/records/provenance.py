"""What produced a number: code, packages, host. No torch here."""

import hashlib
import os
import platform
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import clip_hparam
from clip_hparam.records.record import read_json

PACKAGE = Path(clip_hparam.__file__).parent
TAKEN = "snapshot.json"  # beside a copy of this package
PACKAGES = ("clip-hparam", "torch", "timm", "open_clip_torch", "numpy", "pillow", "hydra-core")
PASSWORD = re.compile(r"(?<=://)([^:/@]*):([^@]*)@")
IN_QUERY = re.compile(r"([?&]password=)[^&]*")


@cache
def provenance() -> dict[str, Any]:
    """Package versions, git state of the code, host and command of this process."""
    return {
        "versions": {"python": platform.python_version(), **versions()},
        "git": git_here(),
        "host": platform.node(),
        "command": command(),
    }


def command() -> list[str]:
    """What was typed, without passwords."""
    return [masked(word) for word in sys.argv]


def masked(url: str) -> str:
    """A URL without its password."""
    return IN_QUERY.sub(r"\1***", PASSWORD.sub(r"\1:***@", url))


def scheduler_job() -> str | None:
    """Id of the Slurm job that this process is part of, as squeue shows it."""
    task = os.environ.get("SLURM_ARRAY_TASK_ID")
    job = os.environ.get("SLURM_ARRAY_JOB_ID", os.environ.get("SLURM_JOB_ID"))
    return f"{job}_{task}" if task else job


def versions() -> dict[str, str | None]:
    return {name: _version(name) for name in PACKAGES}


def git_here() -> dict[str, str | None]:
    """Of the code that runs; a snapshot knows what it was taken from."""
    taken = read_json(PACKAGE.parent / TAKEN)
    return taken["git"] if taken else git_state(PACKAGE)


def git_state(folder: Path) -> dict[str, str | None]:
    """Commit and sha256 of the difference from it (None: clean); both None outside git."""
    sha = _git(folder, "rev-parse", "HEAD")
    diff = _git(folder, "diff", "HEAD", "--", ":/src")
    dirty = hashlib.sha256(diff).hexdigest()[:12] if diff else None
    return {"sha": sha.decode().strip() if sha else None, "dirty": dirty}


def _git(folder: Path, *words: str) -> bytes | None:
    try:
        done = subprocess.run(["git", "-C", folder, *words], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
