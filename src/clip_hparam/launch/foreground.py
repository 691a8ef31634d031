"""One trial in this process: a progress bar on a terminal, and a line per epoch."""

import logging
import sys
from pathlib import Path

from rich.console import Console

from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.finished import print_result, print_start
from clip_hparam.launch.local import processes
from clip_hparam.launch.log import PrintHandler, log_to
from clip_hparam.launch.resources import validate_device
from clip_hparam.records.paths import log_path
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState
from clip_hparam.records.storage_errors import check_writable
from clip_hparam.training.callbacks.interrupt import InterruptFlag
from clip_hparam.training.callbacks.progress_bar import ProgressBar
from clip_hparam.training.trial import run_trial


class TrialFailed(SystemExit):
    """The exit code of a trial that is not done; its record holds the reason."""


def run_in_foreground(spec: TrialSpec) -> float:
    """Run or replay a trial and return its test accuracy in percent.

    On Ctrl-C, SIGTERM or SIGHUP the state is saved after the current step.

    Raises: TrialFailed if it is not done at the end; FolderLockedError if another process runs it;
    KeyboardInterrupt with the sentence to print.
    """
    validate_device(spec.machine.device)
    check_writable(Path(spec.machine.runs))
    record = Record(spec.machine.runs, spec.trial_id)
    record.folder.mkdir(parents=True, exist_ok=True)
    print_start(spec)
    log = log_path(spec.machine.runs, spec.trial_id)
    with (
        log_to(logging.FileHandler(log, delay=True), PrintHandler()),
        processes.as_main_rank(spec) as context,
        InterruptFlag().installed() as interrupt,
    ):
        outcome = run_trial(spec, [ProgressBar(Console()), interrupt], context)
    if outcome.state == TrialState.QUEUED and interrupt.is_received:  # a replay of a done trial
        raise KeyboardInterrupt("interrupted: run the same command again to repeat the replay")
    if outcome.result is None and (outcome.failure or {}).get("kind") == "replay":
        raise TrialFailed(ExitCode.FAILED)
    if outcome.result is None:
        reason = _reason_of_lost(record) if outcome.state is TrialState.LOST else ""
        print(f"trial {spec.trial_id} {outcome.state}: {reason}see {log}", file=sys.stderr)
        kind = (outcome.failure or {}).get("kind")
        raise TrialFailed(ExitCode.STORAGE if kind == "storage" else ExitCode.FAILED)
    return print_result(record.folder, outcome.result)


def _reason_of_lost(record: Record) -> str:
    """Return why a rank was lost, which is recorded after the trial has ended."""
    failure = record.failure() or {}
    return f"{failure['message']}; " if "message" in failure else ""
