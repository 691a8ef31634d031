"""Sweeps whose trials are each disturbed in another way, and the same trials in peace.

All at once and once a session: starting a job and waiting for it to be queued again take longest.
"""

import operator
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clip_hparam.records.record import Record
from support.cli import records, start
from support.slurm_cluster import Cluster
from support.slurm_jobs import (
    SLURM,
    job_of,
    kill_task,
    limit,
    pause,
    resume_once_signalled,
    saved,
    seed_of,
    trial_id_of,
)

UNTOUCHED, WARNED, REQUEUED, CANCELLED, KILLED, AGAIN, HELD, BAD, STUCK, MOVED = range(10)  # seeds
WORDS = (
    *("data.epoch_images=100", "epochs=12"),
    *("machine.checkpoint_seconds=0", "keep_checkpoints=last"),
)
APART = "n3"  # the node of MOVED
PATIENCE = 240.0
Act = Callable[[Cluster, Record], object]


@dataclass(frozen=True)
class DisturbedSweep:
    """The folders, how the two drivers ended, and when KILLED was."""

    slurm: Cluster
    folder: Path
    moved: Path
    peace: Path
    code: int
    out: str
    code_of_moved: int
    killed: datetime

    def record(self, seed: int) -> Record:
        return _of_seed(self.moved if seed == MOVED else self.folder, seed)

    def undisturbed(self, seed: int) -> Record:
        return _of_seed(self.peace, seed)


def run_disturbed(slurm: Cluster, folder: Path, moved: Path, peace: Path) -> DisturbedSweep:
    (folder / "runs" / trial_id_of(BAD, WORDS) / "metrics.jsonl").mkdir(
        parents=True
    )  # cannot be written
    away, there = (f"hydra.launcher.{key}={APART}" for key in ("exclude", "nodelist"))
    compared = f"seeds=[{WARNED},{REQUEUED},{AGAIN},{STUCK},{MOVED}]"
    drivers = [
        start("-m", f"seeds={MOVED}", *WORDS, *SLURM, away, cwd=folder),
        start("-m", f"seeds=[{MOVED}]", *WORDS, *SLURM, there, cwd=moved),
        start("-m", compared, *WORDS, cwd=peace),
    ]
    try:
        killed = _disturb_all(slurm, folder, moved)
        told = [driver.communicate(timeout=PATIENCE) for driver in drivers]
    finally:
        for driver in drivers:
            driver.kill()
            driver.communicate()
    codes = [driver.returncode for driver in drivers]
    assert codes[2] == 0, told[2]
    return DisturbedSweep(slurm, folder, moved, peace, codes[0], told[0][0], codes[1], killed)


def _disturb_all(slurm: Cluster, *folders: Path) -> datetime:
    """Each as soon as it has saved its state once, MOVED once more; when KILLED was."""
    acts: dict[int, Act] = {
        WARNED: lambda slurm, record: limit(slurm, record, "now+100"),  # nearer than its signal
        REQUEUED: lambda slurm, record: slurm("scontrol", "requeue", job_of(record)),
        CANCELLED: lambda slurm, record: slurm("scancel", job_of(record)),
        KILLED: lambda slurm, record: kill_task(record),
        AGAIN: lambda slurm, record: os.kill(record.status()["pid"], signal.SIGKILL),
        HELD: lambda slurm, record: slurm("scontrol", "requeuehold", job_of(record)),
        STUCK: lambda slurm, record: limit(slurm, record, "now"),
        MOVED: _lose_the_node,
    }
    then: dict[int, Act] = {MOVED: _preempt}
    before: dict[int, tuple[int, int]] = {}  # attempt and epochs when a trial was last disturbed
    when: dict[int, datetime] = {}
    deadline = time.monotonic() + PATIENCE
    while acts:
        assert time.monotonic() < deadline, f"waited in vain for {list(acts)}"
        for record in [one for folder in folders for one in records(folder) if saved(one)]:
            seed, now = seed_of(record), (record.status()["attempt"], len(record.rows()))
            if seed in acts and all(map(operator.gt, now, before.get(seed, (0, 0)))):
                pause(record)
                acts.pop(seed)(slurm, record)
                when[seed], before[seed] = datetime.now(UTC), now
                if seed in then:
                    acts[seed] = then.pop(seed)
        time.sleep(0.05)
    resume_once_signalled(_of_seed(folders[1], MOVED))
    warned = _of_seed(folders[0], WARNED)
    resume_once_signalled(warned)
    slurm("scontrol", "update", f"JobId={job_of(warned)}", "TimeLimit=30")
    return when[KILLED]


def _lose_the_node(slurm: Cluster, record: Record) -> None:
    slurm("scontrol", "update", f"NodeName={APART}", "State=DOWN", "Reason=test")
    slurm("scontrol", "update", f"NodeName={APART}", "State=RESUME")


def _preempt(slurm: Cluster, record: Record) -> None:
    """A job that may preempt wants its node."""
    slurm("sbatch", "-p", "high", "-w", APART, "--exclusive", "-o", "/dev/null", "--wrap", "true")


def _of_seed(folder: Path, seed: int) -> Record:
    return next(one for one in records(folder) if seed_of(one) == seed)
