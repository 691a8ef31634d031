"""One sweep whose trials are each disturbed in another way, and the same sweep in peace."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from commands import records, start, sweep, wait_until
from slurm.cluster import Cluster
from slurm.jobs import SLURM, job_of, seed_of, train, warn

from clip_hparam.records import Record

PEACE, WARNED, REQUEUED, CANCELLED, KILLED, HELD = range(6)  # seeds
MOVED = 60  # epochs: enough to be met in the middle
WORDS = ("data.epoch_images=100", f"epochs={MOVED}", "machine.checkpoint_seconds=0")


@dataclass(frozen=True)
class Disturbed:
    """The folders of both, how the driver ended, and seconds until the death was on record."""

    folder: Path
    peace: Path
    code: int
    out: str
    noticed: float

    def record(self, seed: int) -> Record:
        return next(one for one in records(self.folder) if seed_of(one) == seed)

    def in_peace(self, seed: int) -> Record:
        return next(one for one in records(self.peace) if seed_of(one) == seed)


def disturb(slurm: Cluster, folder: Path, peace: Path) -> Disturbed:
    """About a minute: all are met in mid-run, at once."""
    driver = start("-m", "seeds=6", *WORDS, *SLURM, cwd=folder)
    try:
        noticed = _disturb(slurm, folder)
        out, _ = driver.communicate(timeout=240)
    finally:
        driver.kill()
        driver.communicate()
    done = sweep("-m", f"seeds=[{WARNED},{REQUEUED}]", *WORDS, cwd=peace)
    assert done.code == 0, done.err
    return Disturbed(folder, peace, driver.returncode, out, noticed)


def _disturb(slurm: Cluster, folder: Path) -> float:
    """Seconds until the killed trial was on record as lost."""
    trials = train(folder, 6)
    jobs = [job_of(folder, record) for record in trials]
    warn(slurm, jobs[WARNED])
    slurm("scontrol", "requeue", jobs[REQUEUED])
    slurm("scancel", jobs[CANCELLED])
    slurm("scontrol", "requeuehold", jobs[HELD])
    os.kill(trials[KILLED].status()["pid"], signal.SIGKILL)
    killed = time.monotonic()
    wait_until(lambda: trials[KILLED].status()["state"] == "lost", 30)
    noticed = time.monotonic() - killed
    wait_until(lambda: trials[HELD].status()["state"] == "held", 60)
    return noticed
