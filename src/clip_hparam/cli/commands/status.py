"""status: the sweeps of a runs folder, their trials by state, and the results of a named sweep."""

import argparse
import io
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from clip_hparam.cli.commands import name_lookup
from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.cli.commands.reasons import list_reasons
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.knob import suggest
from clip_hparam.design.racing import Race
from clip_hparam.launch.slurm import job_poller, waiting
from clip_hparam.records.manifests.manifest import SweepManifest
from clip_hparam.records.record import Record
from clip_hparam.records.state import LIVE, TrialState, unsealed_state

if TYPE_CHECKING:
    from clip_hparam.analysis.evidence.cells.cell_results import CellResult

WATCH_SECONDS = 2.0


@dataclass(frozen=True)
class SweepStatus:
    """The number of trials of a sweep by state, and why trials are not done, a line per kind."""

    sweep_id: str
    name: str
    created: str
    states: dict[str, int]
    title: str
    tags: list[str]
    reasons: list[str]


class Shown(NamedTuple):
    """A sweep as it is printed; `results` is None unless the sweep was named."""

    status: SweepStatus
    kind: str
    results: "list[CellResult] | None"

    @property
    def is_live(self) -> bool:
        return bool(set(self.status.states) & set(LIVE))

    def to_dict(self) -> dict[str, Any]:
        cells = {} if self.results is None else {"cells": [row.to_dict() for row in self.results]}
        return {**asdict(self.status), **cells}


def _add_status_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sweep", nargs="?", help="name, id or start of an id: with its results (all, without)"
    )
    parser.add_argument("--tag", help="only sweeps with this tag")
    parser.add_argument(
        "--watch",
        action="store_true",
        help="follow the trials until they end: a live view, or lines at each change in a pipe",
    )
    add_common_arguments(parser)


def _run_status(arguments: argparse.Namespace) -> int:
    if arguments.watch and sys.stdout.isatty() and not arguments.json:
        return _watch(arguments)
    shown: list[Shown] | None = None
    while True:
        sweeps = _read(arguments)
        if sweeps != shown:
            emit(arguments, [sweep.to_dict() for sweep in sweeps], _lines(arguments, sweeps))
        shown = sweeps
        if not arguments.watch or not any(sweep.is_live for sweep in sweeps):
            return ExitCode.OK
        time.sleep(WATCH_SECONDS)


def _watch(arguments: argparse.Namespace) -> int:
    """Draw the sweeps again and again in place, and leave the last view on the terminal."""
    from rich.live import Live  # lazy: rich, 0.1 s
    from rich.text import Text

    with Live(auto_refresh=False, vertical_overflow="crop") as screen:
        while True:
            sweeps = _read(arguments)
            lines = "\n".join(_lines(arguments, sweeps))
            screen.update(Text.from_ansi(lines), refresh=True)
            if not any(sweep.is_live for sweep in sweeps):
                return ExitCode.OK
            time.sleep(WATCH_SECONDS)


def _read(arguments: argparse.Namespace) -> list[Shown]:
    manifests = find_tagged_sweeps(arguments.runs, arguments.sweep, arguments.tag)
    submitted = job_poller.submitted_trials(arguments.runs)
    states, results = read_states(arguments.runs, manifests, submitted)
    return [
        Shown(
            summarize_sweep(arguments.runs, manifest, states, submitted),
            manifest.kind,
            _read_results(arguments.runs, manifest, states, results) if arguments.sweep else None,
        )
        for manifest in manifests
    ]


def find_tagged_sweeps(
    runs: Path, wanted: str | None = None, tag: str | None = None
) -> list[SweepManifest]:
    """Return all sweeps, or those with a name, an id or a tag, oldest first.

    Raises: ValueError if no sweep has that name, id or tag.
    """
    sweeps = name_lookup.find_manifests(runs, wanted)
    manifests = [manifest for manifest in sweeps if tag is None or tag in manifest.tags]
    if sweeps and not manifests:
        known = {known for manifest in sweeps for known in manifest.tags}
        hint = suggest(str(tag), known) if known else "no sweep has a tag"
        raise ValueError(f"no sweep has the tag {tag}: {hint}")
    return manifests


def read_states(
    runs: Path, manifests: Iterable[SweepManifest], submitted: job_poller.SubmittedTrials
) -> tuple[dict[str, TrialState], dict[str, dict[str, Any]]]:
    """Return the state of each trial of the sweeps, and the results of those that are done."""
    states, results = dict[str, TrialState](), dict[str, dict[str, Any]]()
    for name in {name for manifest in manifests for name in manifest.trial_ids}:
        record = Record(runs, name)
        result = record.result()
        state = TrialState.DONE if result else unsealed_state(record.status())
        states[name] = submitted.states.get(name) or state
        if result:
            results[name] = result
    return states, results


def summarize_sweep(
    runs: Path,
    manifest: SweepManifest,
    states: Mapping[str, TrialState],
    submitted: job_poller.SubmittedTrials,
) -> SweepStatus:
    """Return the number of trials of a sweep by state, and why trials wait or have failed."""
    reasons = [submitted.reasons[name] for name in manifest.trial_ids if name in submitted.reasons]
    return SweepStatus(
        manifest.sweep_id,
        manifest.name,
        manifest.created,
        dict(Counter(states[name] for name in manifest.trial_ids)),
        manifest.title,
        list(manifest.tags),
        [*waiting.waiting_lines(reasons), *list_reasons(runs, manifest, states)],
    )


def _read_results(
    runs: Path,
    manifest: SweepManifest,
    states: dict[str, TrialState],
    results: dict[str, dict[str, Any]],
) -> "list[CellResult]":
    """Return the rows of the table of a sweep that may still run."""
    from clip_hparam.sweep.display.results import (
        PlannedCell,
        read_cell_results,
    )  # lazy: rich, 0.1 s

    cells = [PlannedCell(cell.label, cell.trials) for cell in manifest.cells]
    race = None if manifest.race is None else Race(**manifest.race)
    own = {name: results[name] for name in manifest.trial_ids if name in results}
    return read_cell_results(runs, manifest.name, manifest.kind, cells, states, race, own)


def _lines(arguments: argparse.Namespace, sweeps: list[Shown]) -> Iterator[str]:
    if not sweeps:
        yield name_lookup.no_sweep_message(arguments.runs)
    for sweep in sweeps:
        status = sweep.status
        tags = f" [{', '.join(status.tags)}]" if status.tags else ""
        states = format_states(status.states)
        yield f"{status.sweep_id}  {status.created}  {status.title}{tags}: {states}"
        if sweep.results is not None:
            yield _table(sweep)
        yield from (f"  {reason}" for reason in status.reasons)


def _table(sweep: Shown) -> str:
    """Return the table of results, with styles where stdout is a terminal."""
    from rich.console import Console  # lazy: rich, 0.1 s

    from clip_hparam.sweep.display.results import print_results

    text = io.StringIO()
    console = Console(file=text, width=Console().width, force_terminal=sys.stdout.isatty())
    print_results(console, sweep.results or [], sweep.status.name, sweep.kind)
    return text.getvalue().rstrip("\n")


def format_states(states: dict[str, int]) -> str:
    """Return the number of trials in each state as text."""
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no trial"


COMMANDS = (
    Command(
        "status",
        "show sweeps by the state of their trials, or results of one",
        _add_status_arguments,
        _run_status,
    ),
)
