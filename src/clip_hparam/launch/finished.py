"""Report a trial that is done already: its result, and requested outputs that are missing.

Imports no torch: a trial that is done already answers in about a second.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clip_hparam.config.options.eval_set_words import set_names
from clip_hparam.config.text.count import counted
from clip_hparam.config.text.override_words import program_words, sweep_program
from clip_hparam.config.text.wrap import print_wrapped
from clip_hparam.config.trial_spec import TrialSpec, typed_label
from clip_hparam.records.metrics import reported_value
from clip_hparam.records.provenance import command_line
from clip_hparam.records.record import Record


def report_finished(spec: TrialSpec) -> float | None:
    """Print the result of a trial that is done and return its test accuracy in percent.

    None if the trial has to run, or to be replayed for outputs that it lacks.

    Raises: ValueError for a replay in another number of processes.
    """
    record = Record(spec.machine.runs, spec.trial_id)
    result = record.verified_result()
    missing = missing_outputs(spec) if result else []
    if result is None:
        return None
    if missing and spec.replay:
        validate_ranks(spec, result)
        return None
    print_wrapped(f"trial {spec.trial_id} is done already ({record.folder})")
    accuracy = print_result(record.folder, result)
    if not typed_label(spec.overrides):
        print_wrapped(_note_of_nothing_typed())
    if missing:
        hint = replay_hint({spec.trial_id: spec}, {spec.trial_id: result})
        print_wrapped(f"not in its folder: {', '.join(missing)}; {hint}")
    return accuracy


def print_start(spec: TrialSpec) -> None:
    """Print the id of a trial and its typed overrides; without overrides, print examples."""
    if typed_label(spec.overrides):
        print(f"trial {spec.trial_id}  {spec.label}")
        return
    epochs = counted(spec.recipe.epochs, "epoch")
    print(f"trial {spec.trial_id}  the default recipe on data={spec.recipe.data.name}, {epochs}")
    print_wrapped(_note_of_nothing_typed())


def _note_of_nothing_typed() -> str:
    program = sweep_program()
    return (
        f"no KNOB=VALUE was typed: {program} lr=1e-3 trains with another learning rate,"
        f" {program} -m lr=1e-3,6e-3 seeds=3 compares two, {program} --help lists all knobs"
    )


def validate_ranks(spec: TrialSpec, result: dict[str, Any]) -> None:
    """Raise ValueError for a replay in another number of processes than the trial had.

    Gradients are summed in another order then, so that no number would be the recorded one.
    """
    ranks = _ranks_of(result)
    if ranks != spec.gpus_per_trial:
        raise ValueError(
            f"replay=true: trial {spec.trial_id} was trained in {ranks} processes, and"
            f" gpus_per_trial={spec.gpus_per_trial} gives other numbers: type"
            f" gpus_per_trial={ranks}"
        )


def missing_outputs(spec: TrialSpec) -> list[str]:
    """Return the outputs that the driver keys request and that are missing in a done trial."""
    record = Record(spec.machine.runs, spec.trial_id)
    return record.missing_outputs(spec.eval_test, spec.keep_checkpoints, set_names(spec.eval_sets))


def replay_hint(specs: Mapping[str, TrialSpec], results: Mapping[str, dict[str, Any]]) -> str:
    """Return the end of a sentence: the replay command that adds the missing outputs.

    The command has the gpus_per_trial of the recorded trials, if they all had the same.
    """
    ranks = {_ranks_of(result) for result in results.values()}
    asked = {spec.gpus_per_trial for spec in specs.values()}
    words = [f"gpus_per_trial={max(ranks)}"] if len(ranks) == 1 and ranks != asked else []
    typed = [word for word in command_line()[1:] if not (words and word.startswith("gpus_per_tr"))]
    command = shlex.join([*program_words(), *typed, *words, "replay=true"])
    return f"to train again, compare every number with the record and then add it: {command}"


def _ranks_of(result: dict[str, Any]) -> int:
    return int((result.get("numerics") or {}).get("ranks", 1))


def print_result(folder: Path, result: dict[str, Any]) -> float:
    """Print the line of a result and return its test accuracy in percent."""
    accuracy = reported_value(result)
    selected, weights = result["epochs"]["selected"] + 1, result["selected_weights"]
    print_wrapped(
        f"test acc1 {accuracy:.2f} % at the selected epoch {selected} ({weights} weights),"
        f" {result['cost']['seconds']:.1f} s, {folder}"
    )
    return accuracy
