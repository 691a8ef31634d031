"""retry: list the trials of a sweep that are not done, and the command that runs them."""

import argparse
import shlex
import sys
from collections.abc import Iterator
from typing import Any

from clip_hparam.cli.commands import queries
from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.design import design
from clip_hparam.records.record import Record
from clip_hparam.records.state import FINISHED, LIVE, TrialState


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sweep", nargs="?", help="name or id of a sweep (the newest)")
    parser.add_argument(
        "--failed", action="store_true", help="only trials that ended with a failure"
    )
    parser.add_argument("--run", action="store_true", help="run the printed command")
    add_common_arguments(parser)


def _run_retry(arguments: argparse.Namespace) -> int:
    """List the trials; with --run start the command of the sweep if any trial is listed."""
    manifest = queries.newest_manifest(arguments.runs, arguments.sweep)
    states = queries.trial_states(arguments.runs, manifest.trial_ids)
    kept = (*FINISHED, TrialState.PLANNED, *LIVE) if arguments.failed else FINISHED
    left = {name: state for name, state in states.items() if state not in kept}
    overrides = design.merged_overrides(manifest.command[1:], [f"machine.runs={arguments.runs}"])
    trials = [_facts(Record(arguments.runs, name), state) for name, state in left.items()]
    facts = {
        "sweep": manifest.name,
        "trials": trials,
        "command": ["clip-hparam", "sweep", *overrides],
    }
    emit(arguments, facts, _lines(facts))
    if not (arguments.run and left):
        return ExitCode.OK
    from clip_hparam.cli.hydra_app.app import main  # lazy: Hydra, 0.3 s

    sys.argv[1:] = overrides
    return main()


def _facts(record: Record, state: str) -> dict[str, Any]:
    failure = record.failure() or {}
    return {"trial_id": record.trial_id, "state": state, "message": failure.get("message")}


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    for trial in facts["trials"]:
        yield f"{trial['trial_id']} {trial['state']}: {trial['message'] or 'did not end'}"
    if facts["trials"]:
        yield f"{len(facts['trials'])} to run: {shlex.join(facts['command'])}"
    else:
        yield f"there is nothing to run of {facts['sweep']}"


COMMANDS = (
    Command(
        "retry",
        "list the trials of a sweep that are not done; --run runs them",
        _add_arguments,
        _run_retry,
    ),
)
