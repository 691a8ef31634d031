"""One trial in this process: a progress bar on a terminal, and a line per epoch."""

import logging
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.recipe import label
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.local import processes
from clip_hparam.launch.log import PrintHandler, log_to
from clip_hparam.launch.resources import validate_device
from clip_hparam.records.metrics import reported_value
from clip_hparam.records.paths import log_path
from clip_hparam.records.record import Record
from clip_hparam.records.storage_errors import check_writable
from clip_hparam.training.callbacks.progress_bar import ProgressBar
from clip_hparam.training.trial import run_trial


class TrialFailed(SystemExit):
    """The exit code of a trial that is not done; its record holds the reason."""


def run_in_foreground(spec: TrialSpec) -> float:
    """Run a trial, unless it is done already, and return its test accuracy in percent.

    Raises: TrialFailed if it does not end as "done"; FolderLockedError if another process runs it.
    """
    validate_device(spec.machine.device)
    check_writable(Path(spec.machine.runs))
    record = Record(spec.machine.runs, spec.trial_id)
    result = record.verified_result()
    if result is not None:
        print(f"trial {spec.trial_id} is done already ({record.folder})")
        return _print_result(record.folder, result)
    record.folder.mkdir(parents=True, exist_ok=True)
    print(f"trial {spec.trial_id}  {label(spec.recipe)}")
    log = log_path(spec.machine.runs, spec.trial_id)
    with (
        log_to(logging.FileHandler(log, delay=True), PrintHandler()),
        processes.as_main_rank(spec) as context,
    ):
        outcome = run_trial(spec, [ProgressBar(Console())], context)
    if outcome.result is None:
        print(f"trial {spec.trial_id} {outcome.state}: see {log}", file=sys.stderr)
        kind = (outcome.failure or {}).get("kind")
        raise TrialFailed(ExitCode.STORAGE if kind == "storage" else ExitCode.FAILED)
    return _print_result(record.folder, outcome.result)


def _print_result(folder: Path, result: dict[str, Any]) -> float:
    accuracy = reported_value(result)
    selected, weights = result["epochs"]["selected"] + 1, result["selected_weights"]
    print(
        f"test acc1 {accuracy:.2f} % at the selected epoch {selected} ({weights} weights),"
        f" {result['cost']['seconds']:.1f} s, {folder}"
    )
    return accuracy
