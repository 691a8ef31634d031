"""The program of a task of a Slurm job: it runs the trials of the task.

    python -m clip_hparam.launch.slurm.job_main runs/.sweeps/<sweep_id>/<nonce>

If the job has one task, the task runs its trials in processes, as many at a time as its CPUs or
GPUs allow. If it has several tasks, they are the ranks of one trial.

Slurm sends SIGUSR2 when the time limit is near or the job is preempted: the trials save their state
after the current step, and the job requeues itself. A resumed trial ends in the same numbers as an
uninterrupted one. On SIGTERM (scancel, scontrol requeue, the end of a grace time) the trials save
their state too, and the job exits. The exit code is 0 only if all trials of the task are done.
"""

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path

from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.text.count import counted
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.config.worker_spec import LaunchSpec
from clip_hparam.data.loading.worker_count import CORES_VARIABLE
from clip_hparam.launch.base import LaunchContext, state_on_record
from clip_hparam.launch.local import processes
from clip_hparam.launch.local.child import catch_signals
from clip_hparam.launch.local.logged_trial import run_logged_trial
from clip_hparam.launch.local.pool import WorkerPool
from clip_hparam.launch.local.traced_trials import trials_to_trace
from clip_hparam.launch.log import redirect_output
from clip_hparam.launch.resources import available_cores
from clip_hparam.launch.slurm.commands import parse_fields, run_command
from clip_hparam.launch.slurm.job_array import JobArray, read_job_array
from clip_hparam.launch.supervise import supervise
from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.paths import log_path
from clip_hparam.records.provenance import slurm_job_id
from clip_hparam.records.record import Record
from clip_hparam.records.state import LIVE, TrialState
from clip_hparam.training.callbacks.stop_flag import StopFlag

TERMINATED = 128 + signal.SIGTERM  # exit code of a job that is requeued
HANDLED_SIGNALS = (signal.SIGUSR2, signal.SIGTERM)
REQUEUE_TIMEOUT_SECONDS = 60.0


def main(folder: Path) -> int:
    """Run this task of the job array in a folder and return the exit code."""
    stop = catch_signals(*HANDLED_SIGNALS)
    task = int(os.environ["SLURM_ARRAY_TASK_ID"])
    array = read_job_array(folder)
    assert array is not None, f"there is no array in {folder}"
    environment = rank_environment()
    if int(environment["WORLD_SIZE"]) > 1:
        os.environ[CORES_VARIABLE] = str(_cores_of_task())
    if int(environment["RANK"]):
        return _run_as_other_rank(_trial_of(array, task), environment)
    if int(environment["WORLD_SIZE"]) > 1:
        states = _run_as_main_rank(_trial_of(array, task), environment, stop)
    else:
        states = _run_in_pool(array, _trials_left(array, task), stop)
    if all(state_on_record(spec) is TrialState.DONE for spec in array.specs(task)):
        return ExitCode.OK
    left = [trial for trial, state in states.items() if state in (*LIVE, TrialState.LOST)]
    if not stop.received or not left:
        return ExitCode.FAILED
    if signal.SIGTERM in stop.received:
        return TERMINATED
    return _requeue(array, task, left)


def rank_environment() -> dict[str, str]:
    """Return the variables of torchrun (RANK, WORLD_SIZE, ...) for this task among all of its job.

    MASTER_ADDR is the address by which Slurm itself reaches the first task: the name of its node
    need not resolve.
    """
    from submitit.helpers import TorchDistributedEnvironment  # lazy: needed inside a job only

    task = TorchDistributedEnvironment()
    values = {
        "RANK": task.rank,
        "WORLD_SIZE": task.world_size,
        "LOCAL_RANK": task.local_rank,
        "MASTER_ADDR": os.environ.get("SLURM_LAUNCH_NODE_IPADDR", task.master_addr),
        "MASTER_PORT": task.master_port,
    }
    return {name: str(value) for name, value in values.items()}


def _cores_of_task() -> int:
    """Return the CPU cores of this task, which is one rank."""
    asked = os.environ.get("SLURM_CPUS_PER_TASK")
    tasks = os.environ.get("SLURM_NTASKS_PER_NODE", "1")
    return int(asked) if asked else max(available_cores() // int(tasks), 1)


def _trial_of(array: JobArray, task: int) -> TrialSpec:
    """Return the trial whose ranks are the tasks of a job; a worker of a search has one task."""
    (spec,) = array.specs(task)
    assert isinstance(spec, TrialSpec)
    return spec


def _trials_left(array: JobArray, task: int) -> list[LaunchSpec]:
    """Return the trials of a task that had not ended when the job last requeued itself."""
    left = (read_json(_requeue_file(array, task)) or {}).get("left", array.packs[task])
    return [spec for spec in array.specs(task) if spec.trial_id in left]


def _run_in_pool(
    array: JobArray, specs: Sequence[LaunchSpec], stop: StopFlag
) -> dict[str, TrialState]:
    """Run trials in local processes and return their states; LOST if they were stopped."""
    limits = array.limits
    driver = SweepOptions(
        workers=limits.workers, retries=limits.retries, gpus_per_trial=specs[0].gpus_per_trial
    )
    pool = WorkerPool(LaunchContext(array.folder.parent.name, array.name, array.runs, driver, {}))
    with _signals_blocked():
        processes.start_forkserver(specs[0], traced=trials_to_trace(specs))

    def stop_if_asked(_: Mapping[str, TrialState]) -> None:
        if stop.received and not pool.stopped:
            pool.stop()

    return supervise(pool, specs, stop_if_asked)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Block the handled signals in the processes that are started inside the `with` block.

    Slurm sends its signals to all processes of a job; only this process is to react.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
    resource_tracker.ensure_running()  # unblocks SIGTERM
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS)


def _run_as_main_rank(
    spec: TrialSpec, environment: dict[str, str], stop: StopFlag
) -> dict[str, TrialState]:
    """Run rank 0 of a trial whose ranks are the tasks of this job."""
    from clip_hparam import distributed  # lazy: torch, 4 s, after the signals are handled

    redirect_output(log_path(spec.machine.runs, spec.trial_id))
    context = distributed.create_context(environment, spec.machine.rank_timeout)
    return {spec.trial_id: run_logged_trial(spec, context, stop).state}


def _run_as_other_rank(spec: TrialSpec, environment: dict[str, str]) -> int:
    """Run another rank; the exit code is 0, as the first task reports the state of the trial."""
    from clip_hparam import distributed  # lazy: torch, 4 s, after the signals are handled
    from clip_hparam.training import trial  # lazy: as above

    context = distributed.create_context(environment, spec.machine.rank_timeout)
    print(f"rank {context.rank} of {context.world_size} is process {os.getpid()}", flush=True)
    trial.run_trial(spec, context=context)
    return ExitCode.OK


def _requeue_file(array: JobArray, task: int) -> Path:
    """Return the file in which a task counts its timeouts and lists the trials that are left."""
    return array.folder / f"again_{task}.json"


def _requeue(array: JobArray, task: int, left: Sequence[str]) -> int:
    """Requeue this job, for time limits at most max_num_timeout times; return the exit code."""
    job_id = slurm_job_id() or ""
    timeouts = (read_json(_requeue_file(array, task)) or {}).get("timeouts", 0)
    timeouts += not _is_preempted(job_id)
    write_json(_requeue_file(array, task), {"timeouts": timeouts, "left": left})
    if timeouts > array.limits.max_num_timeout:
        minutes = array.limits.timeout_min
        limit = "" if minutes is None else f" of {minutes} min"
        return _record_timeout(
            array,
            left,
            f"reached its time limit{limit}, {counted(timeouts, 'time')}: the same command resumes"
            " it; raise hydra.launcher.timeout_min or max_num_timeout",
        )
    queued = run_command("scontrol", "requeue", job_id, timeout=REQUEUE_TIMEOUT_SECONDS)
    if queued.returncode:
        reason = queued.stderr.strip()
        return _record_timeout(
            array, left, f"could not be requeued ({reason}): the same command resumes it"
        )
    return TERMINATED


def _is_preempted(job_id: str) -> bool:
    """Return whether Slurm preempts this job; if not, its time limit is near."""
    facts = parse_fields(run_command("scontrol", "-o", "show", "job", job_id).stdout)
    return facts.get("PreemptTime", "None") not in ("None", "Unknown")


def _record_timeout(array: JobArray, left: Sequence[str], sentence: str) -> int:
    """Record the trials as timed out and return the exit code."""
    for trial in left:
        record = Record(array.runs, trial)
        record.write_status(TrialState.TIMEOUT, job=slurm_job_id())
        record.write_failure(TrialState.TIMEOUT, "timeout", sentence)
    return ExitCode.FAILED


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
