"""status, why, describe: what became of it, and what it amounts to."""

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from clip_hparam.cli.commands import queries
from clip_hparam.cli.commands.command import OK, Verb, of_records, tell
from clip_hparam.records.state import LIVE

WATCH_SECONDS = 2.0


def _status_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sweep", nargs="?", help="name or id of a sweep (all)")
    parser.add_argument("--watch", action="store_true", help="again at each change, to the end")
    of_records(parser)


def _status(arguments: argparse.Namespace) -> int:
    told: list[queries.SweepStatus] | None = None
    while True:
        sweeps = queries.sweeps(arguments.runs, arguments.sweep)
        if sweeps != told:
            tell(arguments, [asdict(sweep) for sweep in sweeps], _sweep_lines(arguments, sweeps))
        told = sweeps
        if not arguments.watch or not any(set(sweep.states) & set(LIVE) for sweep in sweeps):
            return OK
        time.sleep(WATCH_SECONDS)


def _sweep_lines(arguments: argparse.Namespace, sweeps: list[queries.SweepStatus]) -> Iterator[str]:
    if not sweeps:
        yield f"no sweep is on record in {arguments.runs}: type python sweep.py -m sweeps=ladder"
    for sweep in sweeps:
        states = ", ".join(f"{count} {state}" for state, count in sorted(sweep.states.items()))
        yield f"{sweep.sweep_id}  {sweep.created}  {sweep.name}: {states}"


def _why_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trial", help="trial id or the start of one, or a cell: [sweep/]label")
    of_records(parser)


def _why(arguments: argparse.Namespace) -> int:
    told = [queries.why(record) for record in queries.find_all(arguments.runs, arguments.trial)]
    lines = [line for facts in told for line in _why_lines(facts)]
    tell(arguments, told if len(told) > 1 else told[0], lines)
    return OK


def _why_lines(facts: dict[str, Any]) -> Iterator[str]:
    yield f"{facts['trial_id']} is {facts['state']}  ({facts['label']})"
    if facts["failure"]:
        yield f"{facts['failure']['kind']}: {facts['failure']['message']}"
    yield "last lines of its log:"
    yield from (f"  {line}" for line in facts["log"])
    yield f"again: {facts['rerun']}"


def _describe_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("overrides", nargs="*", help="as for sweep.py: recipe=llrd lr=1e-3")


def _describe(arguments: argparse.Namespace) -> int:
    from clip_hparam.cli.hydra_app.compose import composed  # Hydra: the other verbs do without
    from clip_hparam.cli.hydra_app.error_messages import USER_ERRORS, sentence
    from clip_hparam.planning.describe import describe, lint
    from clip_hparam.planning.resolve import resolve

    try:
        recipe = resolve(composed(arguments.overrides))
    except USER_ERRORS as error:
        raise ValueError(sentence(error)) from None
    print(describe(recipe))
    for warning in lint(recipe):
        print(f"note: {warning}")
    return OK


VERBS = (
    Verb("status", "the sweeps of a runs folder, by state", _status_words, _status),
    Verb("why", "what became of a trial, and how to run it again", _why_words, _why),
    Verb("describe", "what a recipe amounts to, before it is run", _describe_words, _describe),
)
