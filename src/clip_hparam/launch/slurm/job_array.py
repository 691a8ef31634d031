"""A Slurm job array on disk: its trials and its job id. No third-party package.

    runs/.sweeps/<sweep_id>/<nonce>/array.json    trials by task, written before sbatch is called
                                    submission.sh the batch script
                                    job_id.json   the job id that sbatch returned
                                    *_log.out     output of the tasks outside the trials' logs

The name of the Slurm job ends in the sweep id and the nonce. An array whose driver was killed
before it wrote job_id.json can therefore be found in the queue by its name.
"""

import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from clip_hparam.config.knob import AUTO
from clip_hparam.config.worker_spec import LaunchSpec, parse_launch_spec
from clip_hparam.launch.base import JobHandle
from clip_hparam.records.atomic import read_json, utc_timestamp, write_json
from clip_hparam.records.paths import ARRAY_FILE, array_folder, array_paths, runs_of_array
from clip_hparam.records.record import SCHEMA_VERSION

SCRIPT_FILE = "submission.sh"
LAUNCHER_NAME = "submitit_slurm"
T = TypeVar("T")


@dataclass(frozen=True)
class JobLimits:
    """Limits of one Slurm job.

    timeout_min: time limit in minutes; None for that of the partition.
    signal_delay_s: seconds before the limit at which Slurm sends SIGUSR2.
    max_num_timeout: how often the job may requeue itself at its time limit.
    workers, retries: the driver's keys, for the trials of one job.
    """

    timeout_min: int | None
    signal_delay_s: int
    max_num_timeout: int
    workers: int | str = AUTO
    retries: int = 0


@dataclass(frozen=True)
class JobArray:
    """Trials submitted with one sbatch.

    packs: the trial ids of each task.
    user: numeric id of the user who submitted them.
    """

    folder: Path
    name: str
    packs: tuple[tuple[str, ...], ...]
    limits: JobLimits
    user: int

    @property
    def job_id(self) -> str | None:
        """The job id that sbatch returned; None before that."""
        tree = read_json(self.folder / "job_id.json")
        return None if tree is None else str(tree["job_id"])

    @property
    def submitted(self) -> str:
        """When sbatch returned the job id, UTC in ISO 8601; empty before that."""
        return str((read_json(self.folder / "job_id.json") or {}).get("submitted", ""))

    @property
    def runs(self) -> Path:
        return runs_of_array(self.folder)

    def write_job_id(self, job_id: str) -> None:
        write_json(self.folder / "job_id.json", {"job_id": job_id, "submitted": utc_timestamp()})

    def specs(self, task: int) -> list[LaunchSpec]:
        """Return the trials of a task; their runs folder is where the array is now."""
        tree = read_json(self.folder / ARRAY_FILE)
        assert tree is not None
        return [parse_launch_spec(spec).with_runs(str(self.runs)) for spec in tree["jobs"][task]]

    def read_stderr(self, job_id: str) -> str:
        """Return what Slurm and the job wrote to stderr, outside the logs of the trials."""
        return _text_of(self.folder / f"{job_id}_0_log.err")

    def read_script(self) -> str:
        """Return the batch script of the jobs; empty if it is gone."""
        return _text_of(self.folder / SCRIPT_FILE)

    def handles(self) -> list[JobHandle]:
        """Return a handle for each trial; none if Slurm did not accept the array."""
        job_id = self.job_id
        if job_id is None:
            return []
        return [
            JobHandle(trial, LAUNCHER_NAME, f"{job_id}_{task}")
            for task, pack in enumerate(self.packs)
            for trial in pack
        ]


def _text_of(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Return consecutive parts of at most `size` items."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def create_job_array(
    runs: Path,
    sweep_id: str,
    sweep_name: str,
    packs: Sequence[Sequence[LaunchSpec]],
    limits: JobLimits,
) -> JobArray:
    """Write array.json into a new folder and return the array."""
    nonce = secrets.token_hex(4)
    folder = array_folder(runs.absolute(), sweep_id, nonce)
    slug = re.sub(r"[^A-Za-z0-9_.]+", "_", sweep_name)[:40]
    head: dict[str, Any] = {
        "name": f"{slug}-{sweep_id}-{nonce}",
        "user": os.getuid(),
        "packs": [[spec.trial_id for spec in pack] for pack in packs],
    }
    details = {
        "schema": SCHEMA_VERSION,
        "created": utc_timestamp(),
        "limits": asdict(limits),
        "jobs": [[spec.to_dict() for spec in pack] for pack in packs],
    }
    write_json(folder / ARRAY_FILE, head | details)
    return JobArray(folder, head["name"], tuple(map(tuple, head["packs"])), limits, head["user"])


def read_job_array(folder: Path) -> JobArray | None:
    """Return the array in a folder; None if its array.json is missing or incomplete."""
    tree = read_json(folder / ARRAY_FILE)
    if tree is None:
        return None
    packs = tuple(map(tuple, tree["packs"]))
    return JobArray(folder, tree["name"], packs, JobLimits(**tree["limits"]), tree["user"])


def list_job_arrays(runs: Path, sweep_id: str = "*") -> list[JobArray]:
    """Return all arrays that were submitted for a sweep, or for any sweep, oldest first."""
    paths = array_paths(runs.absolute(), sweep_id)
    oldest_first = sorted(paths, key=lambda path: path.stat().st_mtime)
    return [array for path in oldest_first if (array := read_job_array(path.parent)) is not None]
