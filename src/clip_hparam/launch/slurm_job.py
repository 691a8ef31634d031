"""What runs inside a task of a Slurm job: its trials, one after another, each to its own record.

    python -m clip_hparam.launch.slurm_job runs/.sweeps/<sweep_id>/<nonce>

Asked to stop (USR2: the time limit is near, or the job is being preempted), a trial saves its state
after the step it is in, and the job queues itself again; it ends in the same numbers as if nothing
had happened. SIGTERM (scancel, scontrol requeue, the end of a grace time) saves the state too, and
leaves to Slurm what becomes of the job. The exit code is 0 only if all its trials are done.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from clip_hparam.job import Job
from clip_hparam.launch import team
from clip_hparam.launch.arrays import Array, read
from clip_hparam.launch.scheduler import call
from clip_hparam.provenance import scheduler_job
from clip_hparam.records import Record, read_json, write_json

if TYPE_CHECKING:
    from clip_hparam.ranks import Ranks

DONE, FAILED, TERMINATED = 0, 1, 128 + signal.SIGTERM
SIGNALS = (signal.SIGUSR2, signal.SIGTERM)
REQUEUE_PATIENCE = 60.0


@dataclass
class Asked:
    """The signals that asked this process to stop."""

    signals: list[int] = field(default_factory=list)

    def listen(self) -> None:
        for number in SIGNALS:
            signal.signal(number, lambda received, frame: self.signals.append(received))

    def to_stop(self) -> bool:
        return bool(self.signals)


def main(folder: Path) -> int:
    asked = Asked()
    asked.listen()
    task = int(os.environ["SLURM_ARRAY_TASK_ID"])
    array = read(folder)
    assert array is not None, f"there is no array in {folder}"
    states = [_run(job, asked) for job in array.jobs(task) if not asked.to_stop()]
    if states == ["done"] * len(array.packs[task]):
        return DONE
    if not asked.to_stop() or states[-1] != "queued":
        return FAILED
    if signal.SIGTERM in asked.signals:
        return TERMINATED
    return _again(array, task)


def _run(job: Job, asked: Asked) -> str:
    # torch and all: after the signals are listened to
    from clip_hparam.launch.attempt import logged, perform

    return perform(job, partial(logged, stop=asked.to_stop, lead=_lead), asked.to_stop)


@contextmanager
def _lead(job: Job) -> Iterator["Ranks"]:
    """This process as rank 0; the others, started in the block, are deaf."""
    with ExitStack() as stack:
        with _deaf():
            ranks = stack.enter_context(team.lead(job))
        yield ranks


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are started in the block never hear the signals: Slurm sends them to all."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _again(array: Array, task: int) -> int:
    """Queue this job again, at its time limit only as often as it may; the exit code."""
    job_id = scheduler_job() or ""
    if not _is_preempted(job_id):
        counter = array.folder / f"timeouts_{task}.json"
        timeouts = (read_json(counter) or {}).get("timeouts", 0) + 1
        write_json(counter, {"timeouts": timeouts})
        if timeouts > array.limits.max_num_timeout:
            return _give_up(
                array,
                task,
                f"reached its time limit of {array.limits.timeout_min} min {timeouts} times: the"
                " same command goes on from its last step; raise hydra.launcher.timeout_min or"
                " max_num_timeout",
            )
    queued = call("scontrol", "requeue", job_id, patience=REQUEUE_PATIENCE)
    if queued.returncode:
        reason = queued.stderr.strip()
        return _give_up(array, task, f"was not queued again by Slurm ({reason}): type it again")
    return TERMINATED


def _is_preempted(job_id: str) -> bool:
    """Whether another job wants the place; else the time limit is near."""
    words = call("scontrol", "-o", "show", "job", job_id).stdout.split()
    facts = dict(word.partition("=")[::2] for word in words)
    return facts.get("PreemptTime", "None") not in ("None", "Unknown")


def _give_up(array: Array, task: int, sentence: str) -> int:
    for trial in array.packs[task]:
        record = Record(array.runs, trial)
        if not record.is_done():
            record.write_status("timeout", job=scheduler_job())
            record.write_failure("timeout", "timeout", sentence)
    return FAILED


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
