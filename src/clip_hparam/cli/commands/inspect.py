"""why, describe: failures of trials and sweeps, and summaries of recipes."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clip_hparam.cli.commands import name_lookup
from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.cli.commands.reasons import explain_sweep, explain_trial
from clip_hparam.cli.commands.status import format_states
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.records.manifests.manifest import read_manifests
from clip_hparam.records.paths import command_line

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
        yield f"  and {more} more cells"
    for trial in facts["failures"][:MAX_LINES]:
        yield f"{trial['trial_id']} {trial['state']}: {trial['message'] or 'did not end'}"
    if more := len(facts["failures"][MAX_LINES:]):
        yield f"and {more} more"
    if cells:  # a search has none before its first trial
        why = command_line("why", f"{facts['sweep']}/{cells[0][0]}", runs=runs)
        yield f"for the log and the command of a trial: {why}"


def _why_lines(facts: dict[str, Any]) -> Iterator[str]:
    yield f"{facts['trial_id']} is {facts['state']}  ({facts['label'] or 'it has not started'})"
    if facts["failure"]:
        yield f"{facts['failure']['kind']}: {facts['failure']['message']}"
        yield from _indented("printed outside its log:", facts["failure"].get("printed", ""))
    yield from _indented("last lines of its log:", "\n".join(facts["log"]))
    if facts["rerun"]:
        yield f"again: {facts['rerun']}"
    yield from (f"not known: {sentence}" for sentence in facts["unknown"])


def _indented(title: str, text: str) -> Iterator[str]:
    """Yield a title and the last lines of a text; nothing for an empty text."""
    if text.strip():
        yield title
        yield from (f"  {line}" for line in text.splitlines()[-PRINTED_LINES:])


def _add_describe_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("overrides", nargs="*", help="as for sweep.py: recipe=llrd lr=1e-3")


def _run_describe(arguments: argparse.Namespace) -> int:
    from clip_hparam.cli.hydra_app.compose import (  # lazy: Hydra, 0.3 s
        compose_all,
        create_trial_spec,
    )
    from clip_hparam.cli.hydra_app.error_messages import USER_ERRORS, user_message
    from clip_hparam.config.resolved_recipe import as_resolved
    from clip_hparam.data.prompts.recipe_prompts import prompt_notes
    from clip_hparam.planning.data_facts import data_notes, epoch_notes
    from clip_hparam.planning.describe import describe, lint

    try:
        spec = create_trial_spec(*compose_all(arguments.overrides))
    except USER_ERRORS as error:
        raise ValueError(user_message(error)) from None
    recipe = as_resolved(spec.recipe)
    print(describe(recipe, spec.machine, spec.gpus_per_trial))
    facts = (*data_notes(recipe.data), *epoch_notes(recipe.data), *prompt_notes(recipe))
    for warning in (*facts, *lint(recipe)):
        print(f"note: {warning}")
    return ExitCode.OK


COMMANDS = (
    Command(
        "why",
        "show the state and failure of a trial, and how to rerun it",
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
