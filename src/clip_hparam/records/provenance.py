"""The provenance of a result: git state of the code, package versions, host and command."""

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
SNAPSHOT_FILE = "snapshot.json"  # beside the package in a code snapshot
PACKAGES = ("clip-hparam", "torch", "timm", "open_clip_torch", "numpy", "pillow", "hydra-core")


@cache
def collect_provenance() -> dict[str, Any]:
    """Return package versions, git state of the code, host and command of this process."""
    return {
        "versions": {"python": platform.python_version(), **package_versions()},
        "git": code_git_state(),
        "host": platform.node(),
        "command": command_line(),
    }


def command_line() -> list[str]:
    """Return the command of this process without passwords."""
    return [without_password(argument) for argument in sys.argv]


def slurm_job_id() -> str | None:
    """Return the id of this process's Slurm job as squeue shows it; None outside Slurm."""
    task = os.environ.get("SLURM_ARRAY_TASK_ID")
    job = os.environ.get("SLURM_ARRAY_JOB_ID", os.environ.get("SLURM_JOB_ID"))
    return f"{job}_{task}" if task else job


def package_versions() -> dict[str, str | None]:
    """Return the versions of the packages that results depend on; None if not installed."""
    return {name: _package_version(name) for name in PACKAGES}


def code_git_state() -> dict[str, str | None]:
    """Return the git state of the running code; for a snapshot, of the code it was copied from."""
    snapshot = read_json(PACKAGE.parent / SNAPSHOT_FILE)
    return snapshot["git"] if snapshot else git_state(PACKAGE)


def git_state(folder: Path) -> dict[str, str | None]:
    """Return the commit (`sha`) and a hash of the uncommitted changes of src (`dirty`).

    `dirty` is None without changes; both are None outside git.
    """
    sha = _run_git(folder, "rev-parse", "HEAD")
    diff = _run_git(folder, "diff", "HEAD", "--", ":/src")
    dirty = hashlib.sha256(diff).hexdigest()[:12] if diff else None
    return {"sha": sha.decode().strip() if sha else None, "dirty": dirty}


def _run_git(folder: Path, *arguments: str) -> bytes | None:
    try:
        process = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return process.stdout


def _package_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
