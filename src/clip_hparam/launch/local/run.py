"""Run a trial, or a worker of a search, in this process."""

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.config.worker_spec import LaunchSpec
from clip_hparam.launch.local import processes
from clip_hparam.launch.local.logged_trial import run_logged_trial
from clip_hparam.launch.log import redirect_output
from clip_hparam.records.paths import log_path
from clip_hparam.training.callbacks.base import NO_CALLBACK, TrialCallback, TrialRunner
from clip_hparam.training.callbacks.interrupt import InterruptFlag
from clip_hparam.training.outcome import TrialOutcome
from clip_hparam.training.trial import run_trial


def run_spec(spec: LaunchSpec, run: TrialRunner) -> None:
    """Run a trial with `run`, or a worker of a search all of whose trials `run` runs."""
    if isinstance(spec, TrialSpec):
        run(spec, NO_CALLBACK)
        return
    from clip_hparam.search.worker import run_worker  # lazy: optuna, 0.5 s

    run_worker(spec, run)


def run_in_process(spec: TrialSpec, callback: TrialCallback) -> TrialOutcome:
    """Run a trial in this process, without output, and its other ranks in their own processes.

    Raises: KeyboardInterrupt on Ctrl-C, after the trial has saved its state.
    """
    with processes.as_main_rank(spec) as context, InterruptFlag().installed() as interrupt:
        outcome = run_trial(spec, [callback, interrupt], context)
    if interrupt.is_received:  # too late to stop this trial, but not the others
        raise KeyboardInterrupt
    return outcome


def run_with_log(spec: TrialSpec, callback: TrialCallback, stop: TrialCallback) -> TrialOutcome:
    """Run a trial in this process, whose output goes to the trial's log.txt from now on.

    If another process runs the trial, wait for its end.
    """
    redirect_output(log_path(spec.machine.runs, spec.trial_id))
    with processes.as_main_rank(spec) as context:
        return run_logged_trial(spec, context, stop, callback)
