"""What runs inside a task of a Slurm job: its trials, each to its own record.

    python -m clip_hparam.launch.slurm.job_main runs/.sweeps/<sweep_id>/<nonce>

One task of Slurm keeps its trials running in processes of their own, as many at a time as its CPUs
or GPUs allow; several tasks are the ranks of one trial. Asked to stop (USR2: the time limit is
near, or the job is being preempted), trials save their state after the step they are in, and the
job queues itself again; they end in the same numbers as if nothing had happened. SIGTERM (scancel,
scontrol requeue, the end of a grace time) saves the state too, and leaves to Slurm what becomes of
the job. The exit code is 0 only if all its trials are done.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path

from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.sweep_options import SweepOptions
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.base import LaunchContext, state_on_record
from clip_hparam.launch.local import processes
from clip_hparam.launch.local.child import catch_signals, redirect_output, retry_while_locked
from clip_hparam.launch.local.pool import WorkerPool
from clip_hparam.launch.slurm.job_array import JobArray, read_job_array
from clip_hparam.launch.slurm.queries import run_command
from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.provenance import slurm_job_id
from clip_hparam.records.record import Record
from clip_hparam.records.state import LIVE

TERMINATED = 128 + signal.SIGTERM  # exit code of a job that queued itself again
HANDLED_SIGNALS = (signal.SIGUSR2, signal.SIGTERM)
POLL_SECONDS = 0.1
REQUEUE_TIMEOUT_SECONDS = 60.0


def main(folder: Path) -> int:
    asked = catch_signals(*HANDLED_SIGNALS)
    task = int(os.environ["SLURM_ARRAY_TASK_ID"])
    array = read_job_array(folder)
    assert array is not None, f"there is no array in {folder}"
    place = rank_environment()
    if int(place["RANK"]):
        return _run_as_other_rank(array.jobs(task)[0], place)
    if int(place["WORLD_SIZE"]) > 1:
        states = _run_as_main_rank(array.jobs(task)[0], place, asked)
    else:
        states = _run_side_by_side(array, _trials_left(array, task), asked)
    if all(state_on_record(job) == "done" for job in array.jobs(task)):
        return ExitCode.OK
    left = [trial for trial, state in states.items() if state in (*LIVE, "lost")]
    if not asked or not left:
        return ExitCode.FAILED
    if signal.SIGTERM in asked:
        return TERMINATED
    return _requeue(array, task, left)


def rank_environment() -> dict[str, str]:
    """This task among those of its job, in the words of torchrun, as submitit has it.

    They meet at the address by which Slurm itself reaches the first: its name need not resolve.
    """
    from submitit.helpers import TorchDistributedEnvironment

    own = TorchDistributedEnvironment()
    place = {
        "RANK": own.rank,
        "WORLD_SIZE": own.world_size,
        "LOCAL_RANK": own.local_rank,
        "MASTER_ADDR": os.environ.get("SLURM_LAUNCH_NODE_IPADDR", own.master_addr),
        "MASTER_PORT": own.master_port,
    }
    return {name: str(value) for name, value in place.items()}


def _trials_left(array: JobArray, task: int) -> list[TrialSpec]:
    """The trials of a task that it had not ended when it last queued itself again."""
    left = (read_json(_memory(array, task)) or {}).get("left", array.packs[task])
    return [job for job in array.jobs(task) if job.trial_id in left]


def _run_side_by_side(
    array: JobArray, jobs: Sequence[TrialSpec], asked: list[int]
) -> dict[str, str]:
    """The trials of one task in the warm workers; "lost" is also what was stopped."""
    limits = array.limits
    driver = SweepOptions(
        workers=limits.workers, retries=limits.retries, gpus_per_trial=jobs[0].gpus_per_trial
    )
    workers = WorkerPool(
        LaunchContext(array.folder.parent.name, array.name, array.runs, driver, {})
    )
    with _signals_blocked():
        processes.start_forkserver(jobs[0])
    handles = workers.submit(jobs)
    states = workers.poll(handles)
    while any(state in LIVE for state in states.values()):
        if asked and not workers.stopped:
            workers.stop()
        time.sleep(POLL_SECONDS)
        states = workers.poll(handles)
    return states


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Processes that come from the block hear no signal but those they listen for.

    Slurm sends its signals to all processes of a job; theirs come from this one.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
    resource_tracker.ensure_running()  # which lets SIGTERM through again
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS)


def _run_as_main_rank(job: TrialSpec, place: dict[str, str], asked: list[int]) -> dict[str, str]:
    """The first of several tasks, which are the ranks of one trial."""
    from clip_hparam import distributed
    from clip_hparam.training import trial  # torch and all: after the signals are listened to

    redirect_output(Path(job.machine.runs) / job.trial_id / "log.txt")
    own = distributed.create_context(place, job.machine.rank_timeout)
    state = retry_while_locked(
        lambda: trial.run_trial(job, say=print, stop=lambda: bool(asked), ranks=own),
        lambda: bool(asked),
    )
    return {job.trial_id: state}


def _run_as_other_rank(job: TrialSpec, place: dict[str, str]) -> int:
    """Another task: what becomes of the trial, and so of the job, the first one says."""
    from clip_hparam import distributed
    from clip_hparam.training import trial

    own = distributed.create_context(place, job.machine.rank_timeout)
    print(f"rank {own.rank} of {own.world_size} is process {os.getpid()}", flush=True)
    trial.run_trial(job, ranks=own)
    return ExitCode.OK


def _memory(array: JobArray, task: int) -> Path:
    """Where a task leaves word for itself when it queues itself again."""
    return array.folder / f"again_{task}.json"


def _requeue(array: JobArray, task: int, left: Sequence[str]) -> int:
    """Queue this job again, at its time limit only as often as it may; the exit code."""
    job_id = slurm_job_id() or ""
    timeouts = (read_json(_memory(array, task)) or {}).get("timeouts", 0)
    timeouts += not _is_preempted(job_id)
    write_json(_memory(array, task), {"timeouts": timeouts, "left": left})
    if timeouts > array.limits.max_num_timeout:
        return _record_timeout(
            array,
            left,
            f"reached its time limit of {array.limits.timeout_min} min {timeouts} times: the"
            " same command goes on from its last step; raise hydra.launcher.timeout_min or"
            " max_num_timeout",
        )
    queued = run_command("scontrol", "requeue", job_id, patience=REQUEUE_TIMEOUT_SECONDS)
    if queued.returncode:
        reason = queued.stderr.strip()
        return _record_timeout(
            array, left, f"was not queued again by Slurm ({reason}): type it again"
        )
    return TERMINATED


def _is_preempted(job_id: str) -> bool:
    """Whether another job wants the place; else the time limit is near."""
    words = run_command("scontrol", "-o", "show", "job", job_id).stdout.split()
    facts = dict(word.partition("=")[::2] for word in words)
    return facts.get("PreemptTime", "None") not in ("None", "Unknown")


def _record_timeout(array: JobArray, left: Sequence[str], sentence: str) -> int:
    for trial in left:
        record = Record(array.runs, trial)
        record.write_status("timeout", job=slurm_job_id())
        record.write_failure("timeout", "timeout", sentence)
    return ExitCode.FAILED


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
