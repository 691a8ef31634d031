"""Report a trial that is done already: its result, and requested outputs that its folder lacks.

Imports no torch: a trial that is done already answers in about a second.
"""

import shlex
from pathlib import Path
from typing import Any

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.metrics import reported_value
from clip_hparam.records.provenance import command_line
from clip_hparam.records.record import Record


def report_finished(spec: TrialSpec) -> float | None:
    """Print the result of a trial that is done and return its test accuracy in percent.

    None if the trial has to run, or to be replayed for outputs that it lacks.
    """
    record = Record(spec.machine.runs, spec.trial_id)
    result = record.verified_result()
    missing = missing_outputs(spec) if result else []
    if result is None or (missing and spec.replay):
        return None
    print(f"trial {spec.trial_id} is done already ({record.folder})")
    accuracy = print_result(record.folder, result)
    if missing:
        print(f"not in its folder: {', '.join(missing)}; {replay_hint()}")
    return accuracy


def missing_outputs(spec: TrialSpec) -> list[str]:
    """Return the outputs that the driver keys ask for and that a done trial lacks."""
    record = Record(spec.machine.runs, spec.trial_id)
    return record.missing_outputs(spec.eval_test, spec.keep_checkpoints)


def replay_hint() -> str:
    """Return the end of a sentence: the command that adds the missing outputs."""
    command = shlex.join(["python", "sweep.py", *command_line()[1:], "replay=true"])
    return f"to train again, compare every number with the record and then add it: {command}"


def print_result(folder: Path, result: dict[str, Any]) -> float:
    """Print the line of a result and return its test accuracy in percent."""
    accuracy = reported_value(result)
    selected, weights = result["epochs"]["selected"] + 1, result["selected_weights"]
    print(
        f"test acc1 {accuracy:.2f} % at the selected epoch {selected} ({weights} weights),"
        f" {result['cost']['seconds']:.1f} s, {folder}"
    )
    return accuracy
