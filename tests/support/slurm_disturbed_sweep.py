"""Sweeps whose trials are each disturbed in another way, and the same trials undisturbed.

All run at once and once per session, because starting and requeueing a job takes longest.
"""

import operator
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from clip_hparam.records.record import Record
from support.cli import records, start, wait_until
from support.slurm_cluster import Cluster
from support.slurm_jobs import (
    SLURM,
    has_pending_signal,
    job_of,
    keep_paused,
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
    *("data.epoch_images=100", "epochs=30"),  # time to reach each trial before it ends
    *("machine.checkpoint_seconds=0", "keep_checkpoints=last"),
)
APART = "n3"  # node of MOVED, which goes down
TIMEOUT_SECONDS = 240.0
Act = Callable[[Cluster, Record], object]


@dataclass(frozen=True)
class DisturbedSweep:
    """Folders of the sweeps, exit codes and output of the drivers, and when KILLED was killed."""

    slurm: Cluster
    folder: Path
    moved: Path
    undisturbed_folder: Path
    code: int
    out: str
    code_of_moved: int
    killed: datetime

    def record(self, seed: int) -> Record:
        return _of_seed(self.moved if seed == MOVED else self.folder, seed)

    def undisturbed(self, seed: int) -> Record:
        return _of_seed(self.undisturbed_folder, seed)


def run_disturbed(
    slurm: Cluster, folder: Path, moved: Path, undisturbed_folder: Path
) -> DisturbedSweep:
    (folder / "runs" / trial_id_of(BAD, WORDS) / "metrics.jsonl").mkdir(
        parents=True
    )  # cannot be written
    away, there = (f"hydra.launcher.{key}={APART}" for key in ("exclude", "nodelist"))
    compared = f"seeds=[{WARNED},{REQUEUED},{AGAIN},{STUCK},{MOVED}]"
    drivers = [
        start("-m", f"seeds={MOVED}", *WORDS, *SLURM, away, cwd=folder),
        start("-m", f"seeds=[{MOVED}]", *WORDS, *SLURM, there, cwd=moved),
        start("-m", compared, *WORDS, cwd=undisturbed_folder),
    ]
    try:
        killed = _disturb_all(slurm, folder, moved)
        outputs = [driver.communicate(timeout=TIMEOUT_SECONDS) for driver in drivers]
    finally:
        for driver in drivers:
            driver.kill()
            driver.communicate()
    codes = [driver.returncode for driver in drivers]
    assert codes[2] == 0, outputs[2]
    return DisturbedSweep(
        slurm, folder, moved, undisturbed_folder, codes[0], outputs[0][0], codes[1], killed
    )


def _disturb_all(slurm: Cluster, *folders: Path) -> datetime:
    """Disturb each trial after its first checkpoint, MOVED twice; return when KILLED was killed."""
    acts: dict[int, Act] = {
        WARNED: _warn_of_the_limit,
        REQUEUED: lambda slurm, record: slurm("scontrol", "requeue", job_of(record)),
        CANCELLED: lambda slurm, record: slurm("scancel", job_of(record)),
        KILLED: lambda slurm, record: kill_task(record),
        AGAIN: lambda slurm, record: os.kill(record.status()["pid"], signal.SIGKILL),
        HELD: lambda slurm, record: slurm("scontrol", "requeuehold", job_of(record)),
        STUCK: _hang_at_the_limit,
        MOVED: _lose_the_node,
    }
    then: dict[int, Act] = {MOVED: _preempt}
    before: dict[int, tuple[int, int]] = {}  # attempt and epochs at the last disturbance
    when: dict[int, datetime] = {}
    paused: dict[int, Record] = {}  # trials that wait for their disturbance
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while acts:
        assert time.monotonic() < deadline, (
            f"no checkpoint of seeds {list(acts)} within {TIMEOUT_SECONDS} s"
        )
        for record in [one for folder in folders for one in records(folder) if saved(one)]:
            seed, now = seed_of(record), (record.status()["attempt"], len(record.rows()))
            due = seed in acts and seed not in paused
            if due and all(map(operator.gt, now, before.get(seed, (0, 0)))):
                pause(record)  # all that are due at once: a command of Slurm may take seconds
                paused[seed], before[seed] = record, now
        if paused:
            seed, record = paused.popitem()
            acts.pop(seed)(slurm, record)
            when[seed] = datetime.now(UTC)
            if seed in then:
                acts[seed] = then.pop(seed)
        time.sleep(0.05)
    resume_once_signalled(_of_seed(folders[1], MOVED))
    return when[KILLED]


def _warn_of_the_limit(slurm: Cluster, record: Record) -> None:
    """Let Slurm warn the job of a stopped trial; then restore its time limit, and continue it.

    The limit is restored at once, also where Slurm has continued the trial: a requeued job with the
    short limit is warned again as soon as it starts. A thread waits, because the warning takes up
    to 30 s, in which other trials may end.
    """
    limit(slurm, record, "now+100")  # before its signal would be sent
    job, pid = job_of(record), record.status()["pid"]

    def resume() -> None:
        with suppress(ProcessLookupError):
            wait_until(lambda: has_pending_signal(pid), TIMEOUT_SECONDS)
        wait_until(lambda: _restore_limit(slurm, job))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    Thread(target=resume, daemon=True).start()


def _restore_limit(slurm: Cluster, job: str) -> bool:
    """Give a job 30 minutes; return False if Slurm refuses, as while the job completes."""
    try:
        slurm("scontrol", "update", f"JobId={job}", "TimeLimit=30")
    except AssertionError:
        return False
    return True


def _hang_at_the_limit(slurm: Cluster, record: Record) -> None:
    keep_paused(record)
    limit(slurm, record, "now+5")


def _lose_the_node(slurm: Cluster, record: Record) -> None:
    slurm("scontrol", "update", f"NodeName={APART}", "State=DOWN", "Reason=test")
    slurm.resume_node(APART)


def _preempt(slurm: Cluster, record: Record) -> None:
    """Submit a job of a higher partition that needs the node of the trial."""
    slurm("sbatch", "-p", "high", "-w", APART, "--exclusive", "-o", "/dev/null", "--wrap", "true")


def _of_seed(folder: Path, seed: int) -> Record:
    return next(one for one in records(folder) if seed_of(one) == seed)
