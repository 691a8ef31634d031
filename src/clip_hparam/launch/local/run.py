"""What a launcher runs in a process: a trial, or a worker of a search that runs trials."""

from pathlib import Path

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.local import processes
from clip_hparam.launch.local.child import redirect_output, retry_while_locked
from clip_hparam.training.callbacks.base import Report, Stop, TrialRunner, never
from clip_hparam.training.trial import run_trial


def run_task(job: TrialSpec, run: TrialRunner, stop: Stop = never) -> str:
    """A trial by `run`, or a worker of a search whose trials `run` runs; its state."""
    if not job.worker:
        return run(job, never)
    from clip_hparam.search.worker import run_worker  # Optuna: not for those that only train

    return run_worker(job, run, stop)


def run_in_process(job: TrialSpec, report: Report) -> str:
    """In this process, which prints nothing of it; its other ranks in processes of their own."""
    with processes.as_main_rank(job) as ranks:
        return run_trial(job, ranks=ranks, report=report)


def run_with_log(job: TrialSpec, report: Report, stop: Stop = never) -> str:
    """In this process, which prints to the trial's log from now on; waits for who is at it."""
    redirect_output(Path(job.machine.runs) / job.trial_id / "log.txt")
    with processes.as_main_rank(job) as ranks:
        return retry_while_locked(
            lambda: run_trial(job, say=print, stop=stop, ranks=ranks, report=report), stop
        )
