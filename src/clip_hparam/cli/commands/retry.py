"""retry: list the trials of a sweep that are not done, and the command that runs them."""

import argparse
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clip_hparam.cli.commands import name_lookup
from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.cli.commands.reasons import failure_of
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.text.override_words import format_override
from clip_hparam.design import design
from clip_hparam.records.manifests.manifest import SweepManifest
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
    manifest = name_lookup.choose_manifest(arguments.runs, arguments.sweep)
    states = name_lookup.trial_states(arguments.runs, manifest.trial_ids)
    left = {name: state for name, state in states.items() if state not in FINISHED}
    kept = (TrialState.PLANNED, *LIVE) if arguments.failed else ()
    listed = {name: state for name, state in left.items() if state not in kept}
    folder, overrides = _command_of(manifest, arguments.runs)
    facts = {
        "sweep": manifest.name,
        "sweep_id": manifest.sweep_id,
        "trials": [_facts(Record(arguments.runs, name), state) for name, state in listed.items()],
        "left": len(left),
        "command": ["clip-hparam", "sweep", *overrides],
        "folder": folder,
    }
    emit(arguments, facts, _lines(facts))
    if not (arguments.run and listed):
        return ExitCode.OK
    from clip_hparam.cli.hydra_app.app import main  # lazy: Hydra, 0.3 s

    os.chdir(folder or ".")
    sys.argv[1:] = overrides
    return main()


def _command_of(manifest: SweepManifest, runs: Path) -> tuple[str | None, list[str]]:
    """Return the folder to type the command of a sweep in, None for this one, and its overrides.

    Relative paths in the command belong to the folder in which it was typed.
    """
    elsewhere = bool(manifest.folder) and not _is_here(manifest.folder)
    folder = manifest.folder if elsewhere and Path(manifest.folder).is_dir() else None
    at = str(runs.absolute() if folder else runs)
    runs_override = format_override("machine.runs", at)
    return folder, list(design.merged_overrides(manifest.command[1:], [runs_override]))


def _is_here(folder: str) -> bool:
    return Path(folder).resolve() == Path.cwd().resolve()


def _facts(record: Record, state: str) -> dict[str, Any]:
    failure = failure_of(record, TrialState(state)) or {}
    return {"trial_id": record.trial_id, "state": state, "message": failure.get("message")}


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    for trial in facts["trials"]:
        yield f"{trial['trial_id']} {trial['state']}: {trial['message'] or 'did not end'}"
    listed, left = len(facts["trials"]), facts["left"]
    if not listed:
        yield f"there is nothing to run of {facts['sweep']}"
        return
    others = f" and the {left - listed} others that are not done" if left > listed else ""
    at = f"cd {shlex.quote(facts['folder'])} && " if facts["folder"] else ""
    yield f"{listed} to run{others}: {at}{shlex.join(facts['command'])}"


COMMANDS = (
    Command(
        "retry",
        "list the trials of a sweep that are not done; --run runs them",
        _add_arguments,
        _run_retry,
    ),
)
