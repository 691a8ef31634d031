"""why, describe: failures of trials and sweeps, and summaries of recipes."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clip_hparam.cli.commands import name_lookup
from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.cli.commands.reasons import ended_trials, explain_sweep, explain_trial
from clip_hparam.cli.commands.status import format_states
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.text.count import counted
from clip_hparam.config.text.wrap import print_wrapped
from clip_hparam.records.manifests.manifest import read_manifests
from clip_hparam.records.paths import command_line
from clip_hparam.records.state import TrialState
from clip_hparam.sweep.display.failures import failure_lines, reason_text

MAX_LINES = 10  # cells and failures of a sweep
PRINTED_LINES = 20


def _add_why_arguments(parser: argparse.ArgumentParser) -> None:
    meaning = "trial id or its start, a cell: [sweep/]label, a sweep, or a Slurm job: 123_4"
    parser.add_argument("trial", help=meaning)
    add_common_arguments(parser)


def _run_why(arguments: argparse.Namespace) -> int:
    manifests = read_manifests(arguments.runs)
    name_lookup.print_ambiguity(manifests, arguments.trial)
    if sweep := name_lookup.find_named_sweep(arguments.runs, arguments.trial):
        summary = explain_sweep(arguments.runs, sweep)
        emit(arguments, summary, _sweep_summary_lines(summary, arguments.runs))
        return ExitCode.OK
    explained = [
        explain_trial(record)
        for record in name_lookup.find_records(arguments.runs, arguments.trial)
    ]
    lines = [line for facts in explained for line in _why_lines(facts)]
    emit(arguments, explained if len(explained) > 1 else explained[0], lines)
    return ExitCode.OK


def _sweep_summary_lines(facts: dict[str, Any], runs: Path) -> Iterator[str]:
    yield f"{facts['title']}, sweep {facts['sweep']}: {format_states(facts['states'])}"
    cells = list(facts["cells"].items())
    yield from (f"  {label}: {format_states(states)}" for label, states in cells[:MAX_LINES])
    if more := len(cells[MAX_LINES:]):
        yield f"  and {counted(more, 'more cell')}"
    failures = list(failure_lines(ended_trials(facts["failures"])))
    yield from failures[:PRINTED_LINES]
    if more := len(failures[PRINTED_LINES:]):
        yield f"and {counted(more, 'more line')}: --json has all"
    if cells:  # a search has none before its first trial
        label = next(
            (label for label, states in cells if set(states) - {TrialState.DONE}), cells[0][0]
        )
        why = command_line("why", f"{facts['sweep']}/{label}", runs=runs)
        yield f"for the log and the command of a trial: {why}"


def _why_lines(facts: dict[str, Any]) -> Iterator[str]:
    yield f"{facts['trial_id']} is {facts['state']}  ({facts['label'] or 'it has not started'})"
    if facts["waits"]:
        yield f"waits in Slurm: {facts['waits']}"
    if facts["failure"]:
        yield reason_text(facts["failure"]["kind"], facts["failure"]["message"])
        outside = _without_told(facts["failure"].get("printed", ""), facts["failure"]["message"])
        yield from _indented("output that is not in its log:", outside)
    yield from _indented("last lines of its log:", "\n".join(facts["log"]))
    yield from again_lines(facts["rerun"], facts["rerun_in_slurm"])
    yield from (f"not known: {sentence}" for sentence in facts["unknown"])


def again_lines(here: str | None, in_slurm: str | None) -> Iterator[str]:
    """Yield the commands that run a trial again; the one for Slurm first, where it ran."""
    if in_slurm:
        yield f"run again in Slurm, with the other unfinished trials of its sweep: {in_slurm}"
    if here:
        yield f"run again{' on this computer' if in_slurm else ''}: {here}"


def _indented(title: str, text: str) -> Iterator[str]:
    """Yield a title and the last lines of a text; nothing for an empty text."""
    if text.strip():
        yield title
        yield from (f"  {line}" for line in text.splitlines()[-PRINTED_LINES:])


def _without_told(printed: str, message: str) -> str:
    """Return the lines of a text that a message does not repeat, each once."""
    lines = (line.rstrip() for line in printed.splitlines())
    return "\n".join(dict.fromkeys(line for line in lines if line.strip() not in message))


def _add_describe_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("overrides", nargs="*", help="as for sweep.py: recipe=llrd lr=1e-3")


def _run_describe(arguments: argparse.Namespace) -> int:
    from clip_hparam.cli.hydra_app.compose import (  # lazy: Hydra, 0.3 s
        compose_all,
        create_trial_spec,
    )
    from clip_hparam.cli.hydra_app.error_messages import USER_ERRORS, user_message
    from clip_hparam.config.resolved_recipe import as_resolved
    from clip_hparam.data.folders.unreadable import UnreadableFilesError
    from clip_hparam.data.prompts.recipe_prompts import prompt_notes
    from clip_hparam.planning.data_facts import data_notes, epoch_notes
    from clip_hparam.planning.describe import describe, describe_data, lint
    from clip_hparam.planning.eval_sets import UnusableEvalSetsError

    try:
        composed = compose_all(arguments.overrides)
        try:
            spec = create_trial_spec(*composed)
        except (UnreadableFilesError, UnusableEvalSetsError):
            print_wrapped(describe_data(composed[0].data))
            raise
    except USER_ERRORS as error:
        raise ValueError(user_message(error)) from None
    recipe = as_resolved(spec.recipe)
    print_wrapped(describe(recipe, spec.machine, spec.gpus_per_trial, spec.eval_sets))
    facts = (*data_notes(recipe.data), *epoch_notes(recipe.data), *prompt_notes(recipe))
    for warning in (*facts, *lint(recipe)):
        print_wrapped(f"note: {warning}")
    return ExitCode.OK


COMMANDS = (
    Command(
        "why",
        "show why a trial failed or waits, and how to run it again",
        _add_why_arguments,
        _run_why,
    ),
    Command(
        "describe",
        "show what a recipe will do, without running it",
        _add_describe_arguments,
        _run_describe,
    ),
)
