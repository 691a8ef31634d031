"""status, why, describe: states of sweeps, failures of trials, and summaries of recipes."""

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from clip_hparam.cli.commands import queries
from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.records.state import LIVE

WATCH_SECONDS = 2.0


def _add_status_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sweep", nargs="?", help="name or id of a sweep (all)")
    parser.add_argument(
        "--watch", action="store_true", help="print again at each change until the trials end"
    )
    add_common_arguments(parser)


def _run_status(arguments: argparse.Namespace) -> int:
    shown: list[queries.SweepStatus] | None = None
    while True:
        sweeps = queries.sweep_statuses(arguments.runs, arguments.sweep)
        if sweeps != shown:
            emit(arguments, [asdict(sweep) for sweep in sweeps], _sweep_lines(arguments, sweeps))
        shown = sweeps
        if not arguments.watch or not any(set(sweep.states) & set(LIVE) for sweep in sweeps):
            return ExitCode.OK
        time.sleep(WATCH_SECONDS)


def _sweep_lines(arguments: argparse.Namespace, sweeps: list[queries.SweepStatus]) -> Iterator[str]:
    if not sweeps:
        yield f"no sweep is on record in {arguments.runs}: type python sweep.py -m sweeps=ladder"
    for sweep in sweeps:
        states = ", ".join(f"{count} {state}" for state, count in sorted(sweep.states.items()))
        yield f"{sweep.sweep_id}  {sweep.created}  {sweep.name}: {states}"


def _add_why_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trial", help="trial id or the start of one, or a cell: [sweep/]label")
    add_common_arguments(parser)


def _run_why(arguments: argparse.Namespace) -> int:
    explained = [
        queries.explain_trial(record)
        for record in queries.find_records(arguments.runs, arguments.trial)
    ]
    lines = [line for facts in explained for line in _why_lines(facts)]
    emit(arguments, explained if len(explained) > 1 else explained[0], lines)
    return ExitCode.OK


def _why_lines(facts: dict[str, Any]) -> Iterator[str]:
    yield f"{facts['trial_id']} is {facts['state']}  ({facts['label']})"
    if facts["failure"]:
        yield f"{facts['failure']['kind']}: {facts['failure']['message']}"
    yield "last lines of its log:"
    yield from (f"  {line}" for line in facts["log"])
    yield f"again: {facts['rerun']}"


def _add_describe_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("overrides", nargs="*", help="as for sweep.py: recipe=llrd lr=1e-3")


def _run_describe(arguments: argparse.Namespace) -> int:
    from clip_hparam.cli.hydra_app.compose import compose_recipe  # lazy: Hydra, 0.3 s
    from clip_hparam.cli.hydra_app.error_messages import USER_ERRORS, user_message
    from clip_hparam.planning.data_facts import data_notes, epoch_notes
    from clip_hparam.planning.describe import describe, lint
    from clip_hparam.planning.resolve import resolve

    try:
        recipe = resolve(compose_recipe(arguments.overrides))
    except USER_ERRORS as error:
        raise ValueError(user_message(error)) from None
    print(describe(recipe))
    for warning in (*data_notes(recipe.data), *epoch_notes(recipe.data), *lint(recipe)):
        print(f"note: {warning}")
    return ExitCode.OK


COMMANDS = (
    Command(
        "status",
        "show the sweeps of a runs folder and their trials by state",
        _add_status_arguments,
        _run_status,
    ),
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
