"""What a launcher runs in a process: a trial, or a worker of a search that runs trials."""

from collections.abc import Callable
from pathlib import Path

from clip_hparam.config.trial_spec import Job
from clip_hparam.launch.local import processes
from clip_hparam.launch.local.child import print_to, when_free
from clip_hparam.training.trainer import Report, never
from clip_hparam.training.trial import Stop, execute

Run = Callable[[Job, Report], str]
"""Runs a trial and returns its state; asks after each epoch whether it is worth another."""


def perform(job: Job, run: Run, stop: Stop = never) -> str:
    """A trial by `run`, or a worker of a search whose trials `run` runs; its state."""
    if not job.worker:
        return run(job, never)
    from clip_hparam.search.worker import work  # Optuna: not for those that only train

    return work(job, run, stop)


def unlogged(job: Job, report: Report) -> str:
    """In this process, which prints nothing of it; its other ranks in processes of their own."""
    with processes.lead(job) as ranks:
        return execute(job, ranks=ranks, report=report)


def logged(job: Job, report: Report, stop: Stop = never) -> str:
    """In this process, which prints to the trial's log from now on; waits for who is at it."""
    print_to(Path(job.machine.runs) / job.trial_id / "log.txt")
    with processes.lead(job) as ranks:
        return when_free(
            lambda: execute(job, say=print, stop=stop, ranks=ranks, report=report), stop
        )
