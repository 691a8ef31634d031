"""retry: list the trials of a sweep that are not done, and the command that runs them."""

import argparse
import os
import sys
from collections.abc import Iterator
from typing import Any

from clip_hparam.cli.commands import name_lookup
from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.cli.commands.reasons import ended_trials, failure_of
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.text.count import counted, is_are
from clip_hparam.records.record import Record
from clip_hparam.records.state import FINISHED, LIVE, TrialState
from clip_hparam.sweep.display.failures import failure_lines
from clip_hparam.sweep.typed_command import typed_command


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sweep", nargs="?", help="name or id of a sweep (the newest)")
    parser.add_argument(
        "--failed", action="store_true", help="only trials that ended with a failure"
    )
    parser.add_argument("--run", action="store_true", help="run the printed command")
    add_common_arguments(parser)


def _run_retry(arguments: argparse.Namespace) -> int:
    """List the trials; with --run start the command of the sweep if any trial is listed."""
    manifest = name_lookup.choose_manifest(arguments.runs, arguments.sweep)
    states = name_lookup.trial_states(arguments.runs, manifest.trial_ids)
    left = {name: state for name, state in states.items() if state not in FINISHED}
    kept = (TrialState.PLANNED, *LIVE) if arguments.failed else ()
    listed = {name: state for name, state in left.items() if state not in kept}
    names = manifest.trial_names
    command = typed_command(manifest, arguments.runs)
    facts = {
        "sweep": manifest.name,
        "sweep_id": manifest.sweep_id,
        "trials": [
            _facts(Record(arguments.runs, name), state, names[name])
            for name, state in listed.items()
        ],
        "left": len(left),
        "command": command.words,
        "folder": command.folder,
    }
    emit(arguments, facts, _lines(facts, str(command)))
    if not (arguments.run and listed):
        return ExitCode.OK
    from clip_hparam.cli.hydra_app.app import main  # lazy: Hydra, 0.3 s

    os.chdir(command.folder or ".")
    sys.argv[1:] = command.overrides
    return main()


def _facts(record: Record, state: str, name: str) -> dict[str, Any]:
    failure = failure_of(record, TrialState(state)) or {}
    message = failure.get("message")
    return {"trial_id": record.trial_id, "name": name, "state": state, "message": message}


def _lines(facts: dict[str, Any], command: str) -> Iterator[str]:
    yield from failure_lines(ended_trials(facts["trials"]))
    listed, left = len(facts["trials"]), facts["left"]
    if not listed:
        yield f"no trial of {facts['sweep']} is left to run"
        return
    others = (
        f" and {counted(left - listed, 'other')} that {is_are(left - listed)} not done"
        if left > listed
        else ""
    )
    yield f"{listed} to run{others}: {command}"


COMMANDS = (
    Command(
        "retry",
        "list the trials of a sweep that are not done; --run runs them",
        _add_arguments,
        _run_retry,
    ),
)
