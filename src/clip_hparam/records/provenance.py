"""What produced a number: code, packages, host. No torch here."""

import hashlib
import os
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import clip_hparam
from clip_hparam.records.atomic import read_json
from clip_hparam.records.credentials import without_password

PACKAGE = Path(clip_hparam.__file__).parent
SNAPSHOT_FILE = "snapshot.json"  # beside a copy of this package
PACKAGES = ("clip-hparam", "torch", "timm", "open_clip_torch", "numpy", "pillow", "hydra-core")


@cache
def collect_provenance() -> dict[str, Any]:
    """Package versions, git state of the code, host and command of this process."""
    return {
        "versions": {"python": platform.python_version(), **package_versions()},
        "git": code_git_state(),
        "host": platform.node(),
        "command": command_line(),
    }


def command_line() -> list[str]:
    """What was typed, without passwords."""
    return [without_password(word) for word in sys.argv]


def slurm_job_id() -> str | None:
    """Id of the Slurm job that this process is part of, as squeue shows it."""
    task = os.environ.get("SLURM_ARRAY_TASK_ID")
    job = os.environ.get("SLURM_ARRAY_JOB_ID", os.environ.get("SLURM_JOB_ID"))
    return f"{job}_{task}" if task else job


def package_versions() -> dict[str, str | None]:
    return {name: _package_version(name) for name in PACKAGES}


def code_git_state() -> dict[str, str | None]:
    """Of the code that runs; a snapshot knows what it was taken from."""
    taken = read_json(PACKAGE.parent / SNAPSHOT_FILE)
    return taken["git"] if taken else git_state(PACKAGE)


def git_state(folder: Path) -> dict[str, str | None]:
    """Commit and sha256 of the difference from it (None: clean); both None outside git."""
    sha = _run_git(folder, "rev-parse", "HEAD")
    diff = _run_git(folder, "diff", "HEAD", "--", ":/src")
    dirty = hashlib.sha256(diff).hexdigest()[:12] if diff else None
    return {"sha": sha.decode().strip() if sha else None, "dirty": dirty}


def _run_git(folder: Path, *words: str) -> bytes | None:
    try:
        done = subprocess.run(["git", "-C", folder, *words], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def _package_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
