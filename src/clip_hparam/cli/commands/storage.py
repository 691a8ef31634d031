"""storage: where the Optuna study of a search is, for optuna-dashboard and other tools."""

import argparse
import sys
from pathlib import Path

from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.cli.commands.name_lookup import find_manifests, print_ambiguity
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.text.override_words import sweep_command
from clip_hparam.records.manifests.manifest import SweepManifest
from clip_hparam.records.paths import manifest_path


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="a search (the newest one)")
    merged = "copy the studies of all searches, or of NAME, into one new journal file"
    parser.add_argument("--merge", type=Path, metavar="FILE", help=merged)
    add_common_arguments(parser)


def _run(arguments: argparse.Namespace) -> int:
    from clip_hparam.search.dashboard import (  # lazy: optuna, 0.5 s
        merge_storages,
        storage_for_tools,
    )
    from clip_hparam.search.spec import SearchManifest

    searches = _searches(arguments.runs, arguments.name)
    paths = [manifest_path(arguments.runs, search.sweep_id) for search in searches]
    specs = [SearchManifest(path).load_search() for path in paths]
    if arguments.merge:
        count = merge_storages(specs, arguments.merge)
        line = str(arguments.merge) if count else "no search has a storage yet"
        emit(arguments, {"file": str(arguments.merge), "studies": count}, [line])
        return ExitCode.OK if count else ExitCode.WRONG_USE
    storage = storage_for_tools(specs[-1])
    if "***" in storage:
        print("*** stands for the password", file=sys.stderr)
    if arguments.name is None and len(searches) > 1:
        others = ", ".join(search.title for search in searches[:-1])
        print(f"of {searches[-1].title}, the newest; others: {others}", file=sys.stderr)
    facts = {"search": searches[-1].sweep_id, "study": specs[-1].optuna_study_name}
    emit(arguments, {**facts, "storage": storage}, [storage])
    return ExitCode.OK


def _searches(runs: Path, name: str | None) -> list[SweepManifest]:
    """Return the searches on record, or those of a name, oldest first.

    Raises: ValueError if there is none.
    """
    sweeps = find_manifests(runs, name)
    searches = [manifest for manifest in sweeps if manifest.kind == "search"]
    if name is not None and searches:
        print_ambiguity(searches, name)
    if not searches:
        which = "no search is on record" if name is None else f"{name} is not a search"
        raise ValueError(f"{which}: {sweep_command('-m', 'sweeps=search', runs=runs)} starts one")
    return searches


COMMANDS = (
    Command(
        "storage",
        "print where the Optuna study of a search is, for its tools",
        _add_arguments,
        _run,
    ),
)
