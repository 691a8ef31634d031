"""A Slurm job array on disk: what was sent, and the id it got. No third-party package.

    runs/.sweeps/<sweep_id>/<nonce>/array.json    jobs by task, written before sbatch is called
                                    job_id.json   the answer of sbatch
                                    *_log.out     what Slurm's tasks printed beside their trials

The name of the Slurm job ends in sweep id and nonce, so an array whose driver died before it wrote
job_id.json is found in the queue by its name, and no other sweep's ever is.
"""

import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from clip_hparam.config.knob import AUTO
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.base import JobHandle
from clip_hparam.records.atomic import read_json, utc_timestamp, write_json
from clip_hparam.records.paths import ARRAY_FILE, array_folder, array_paths, runs_of_array
from clip_hparam.records.record import SCHEMA_VERSION

LAUNCHER_NAME = "submitit_slurm"
T = TypeVar("T")


@dataclass(frozen=True)
class JobLimits:
    """How long a job may run, how early it is warned, and how often it may go on after that.

    `workers` and `retries` are those of the driver, for the trials of one job.
    """

    timeout_min: int
    signal_delay_s: int
    max_num_timeout: int
    workers: int | str = AUTO
    retries: int = 0


@dataclass(frozen=True)
class JobArray:
    """Trials sent together: their ids by array task, each a pack of one or more.

    `user` is a numeric id.
    """

    folder: Path
    name: str
    packs: tuple[tuple[str, ...], ...]
    limits: JobLimits
    user: int

    @property
    def job_id(self) -> str | None:
        """None until sbatch has answered."""
        tree = read_json(self.folder / "job_id.json")
        return None if tree is None else str(tree["job_id"])

    @property
    def submitted(self) -> str:
        """UTC, ISO 8601; empty until sbatch has answered."""
        return str((read_json(self.folder / "job_id.json") or {}).get("submitted", ""))

    @property
    def runs(self) -> Path:
        return runs_of_array(self.folder)

    def write_job_id(self, job_id: str) -> None:
        write_json(self.folder / "job_id.json", {"job_id": job_id, "submitted": utc_timestamp()})

    def jobs(self, task: int) -> list[TrialSpec]:
        """Of one task, with the records where the array lies, wherever that was moved."""
        tree = read_json(self.folder / ARRAY_FILE)
        assert tree is not None
        jobs = [TrialSpec.from_dict(job) for job in tree["jobs"][task]]
        return [replace(job, machine=replace(job.machine, runs=str(self.runs))) for job in jobs]

    def printed(self, job_id: str) -> str:
        """What Slurm and its job wrote on stderr, outside the logs of the trials."""
        try:
            return (self.folder / f"{job_id}_0_log.err").read_text(errors="replace")
        except OSError:
            return ""

    def handles(self) -> list[JobHandle]:
        """Of all its trials; none if Slurm never took it."""
        job_id = self.job_id
        if job_id is None:
            return []
        return [
            JobHandle(trial, LAUNCHER_NAME, f"{job_id}_{task}")
            for task, pack in enumerate(self.packs)
            for trial in pack
        ]


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Of at most `size`, in order."""
    return [items[at : at + size] for at in range(0, len(items), size)]


def create_job_array(
    runs: Path,
    sweep_id: str,
    sweep_name: str,
    packs: Sequence[Sequence[TrialSpec]],
    limits: JobLimits,
) -> JobArray:
    """Put an array on disk."""
    nonce = secrets.token_hex(4)
    folder = array_folder(runs.absolute(), sweep_id, nonce)
    slug = re.sub(r"[^A-Za-z0-9_.]+", "_", sweep_name)[:40]
    head: dict[str, Any] = {
        "name": f"{slug}-{sweep_id}-{nonce}",
        "user": os.getuid(),
        "packs": [[job.trial_id for job in pack] for pack in packs],
    }
    jobs = [[job.to_dict() for job in pack] for pack in packs]
    rest = {
        "schema": SCHEMA_VERSION,
        "created": utc_timestamp(),
        "limits": asdict(limits),
        "jobs": jobs,
    }
    write_json(folder / ARRAY_FILE, head | rest)
    return JobArray(folder, head["name"], tuple(map(tuple, head["packs"])), limits, head["user"])


def read_job_array(folder: Path) -> JobArray | None:
    """None if there is no array, or one that was cut."""
    tree = read_json(folder / ARRAY_FILE)
    if tree is None:
        return None
    packs = tuple(map(tuple, tree["packs"]))
    return JobArray(folder, tree["name"], packs, JobLimits(**tree["limits"]), tree["user"])


def list_job_arrays(runs: Path, sweep_id: str = "*") -> list[JobArray]:
    """All that were ever sent for a sweep, or for any, oldest first."""
    paths = array_paths(runs.absolute(), sweep_id)
    oldest_first = sorted(paths, key=lambda path: path.stat().st_mtime)
    return [array for path in oldest_first if (array := read_job_array(path.parent)) is not None]
