"""The commands `import` and `summary`: their arguments, and the functions that run them."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from clip_hparam.analysis.evidence.searches.pruning import pruning_savings
from clip_hparam.analysis.evidence.searches.replicate_means import point_table
from clip_hparam.analysis.evidence.searches.summary import (
    format_summary,
    summarise,
    summary_dict,
)
from clip_hparam.analysis.frames.frame import SAMPLED_KINDS, Frames, sampled_sweeps
from clip_hparam.analysis.frames.importing.formats import READERS, read_source
from clip_hparam.analysis.frames.importing.import_table import to_trial_table
from clip_hparam.analysis.frames.importing.levels import decimal_mark
from clip_hparam.analysis.frames.importing.notes import import_counts
from clip_hparam.analysis.frames.importing.roles import complete_roles, unused_seed
from clip_hparam.analysis.frames.importing.source import Roles, Source
from clip_hparam.analysis.frames.importing.table_files import write_trial_table
from clip_hparam.analysis.frames.manifests import SweepManifest, find_sweeps
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.cli.commands.name_lookup import print_ambiguity
from clip_hparam.config.knob import suggest
from clip_hparam.config.text.count import counted
from clip_hparam.config.text.wrap import print_wrapped
from clip_hparam.records.manifests.manifest import read_manifests
from clip_hparam.records.paths import DEFAULT_RUNS, command_line

FORMATS_WITH_KNOBS = ("optuna", "ray", "tensorboard")  # they record the knobs of each trial


def add_import_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `import`."""
    command.add_argument(
        "source",
        type=_source_path,
        metavar="FILE",
        help="a .csv, .tsv, .parquet, .jsonl, a storage of Optuna, a folder of Ray or TensorBoard",
    )
    command.add_argument("--format", metavar="NAME", help=f"{', '.join(READERS)} (by content)")
    command.add_argument("--study", metavar="NAME", help="the study of an Optuna storage")
    command.add_argument("--knob", action="append", default=[], help="a column; repeatable")
    command.add_argument("--metric", action="append", default=[], help="a column; repeatable")
    command.add_argument("--objective", default="", help="the metric that ranks the rows")
    goal = command.add_mutually_exclusive_group()
    goal.add_argument("--minimize", action="store_true", help="lower is better (losses, errors)")
    goal.add_argument("--maximize", action="store_true", help="higher is better (other metrics)")
    command.add_argument(
        "--name", default="", metavar="COLUMN", help="the column with the name of each row"
    )
    command.add_argument(
        "--seed",
        default="",
        metavar="COLUMN",
        help="rows of equal knobs are replicates, paired by it",
    )
    command.add_argument(
        "--state", default="", metavar="COLUMN", help="rows that are not complete are left out"
    )
    command.add_argument(
        "--percent",
        action="append",
        default=[],
        metavar="METRIC",
        help="values up to 1 are percent",
    )
    command.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the imported table"
    )


def add_summary_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `summary`."""
    command.add_argument(
        "runs",
        type=Path,
        nargs="?",
        default=DEFAULT_RUNS,
        metavar="DIR",
        help="folder of records or of an imported table (runs)",
    )
    command.add_argument(
        "--runs",
        type=Path,
        dest="folder",
        metavar="DIR",
        help="the same, as other commands take it",
    )
    command.add_argument("--sweep", metavar="NAME", help="the search (default: the newest)")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def import_table(arguments: argparse.Namespace) -> None:
    """Import results of another tool and print the paths of the imported table.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the file cannot be read or lacks a column.
        OSError: the folder cannot be written.
    """
    source = read_source(arguments.source, arguments.format, arguments.study)
    roles = complete_roles(source, _typed_roles(arguments))
    used = [*roles.knobs, *roles.metrics, roles.objective]
    decimal = decimal_mark(source.rows[name] for name in used) if source.decimal_commas else "."
    table = to_trial_table(
        source.rows, roles.knobs, roles.metrics, roles.objective, bool(roles.minimize),
        roles.name or None, seed=roles.seed or None, state=roles.state or None, decimal=decimal,
        percent=arguments.percent, knobs_recorded=source.format in FORMATS_WITH_KNOBS,
    )  # fmt: skip
    paths = write_trial_table(table, arguments.source, arguments.out)
    print(*_import_lines(source, roles, table, decimal), sep="\n", file=sys.stderr)
    print(*paths, sep="\n")


def _source_path(text: str) -> Path:
    """Return the path of a file or folder, also of a URL as Optuna takes it: sqlite:///study.db."""
    return Path(text.removeprefix("sqlite:///"))


def _typed_roles(arguments: argparse.Namespace) -> Roles:
    return Roles(
        tuple(arguments.knob),
        tuple(arguments.metric),
        arguments.objective,
        True if arguments.minimize else False if arguments.maximize else None,
        arguments.name,
        arguments.seed,
        arguments.state,
    )


def _import_lines(source: Source, roles: Roles, table: TrialTable, decimal: str) -> Iterator[str]:
    """Yield sentences on the format, the rows that are kept, and the direction of the objective."""
    kept = f"{len(table.rows)} of {counted(len(source.rows), 'row')} kept: {import_counts(table)}"
    yield kept
    better, other = ("lower", "--maximize") if table.minimize else ("higher", "--minimize")
    yield f"read as {source.format}; {table.objective}: {better} is better ({other} reverses it)"
    if missing := len(table.rows) - len(table.scored):
        yield f"{counted(missing, 'row')} without {table.objective}"
    if roles.seed:
        yield f"{roles.seed} makes rows of equal knobs replicates, paired by it"
    elif column := unused_seed(source.rows, roles):
        yield f"column {column} is not used: --seed {column} makes replicates of equal knobs"
    if decimal == ",":
        yield "numbers are read with decimal commas: 0,1 is 0.1"
    yield from source.notes


def refuse_name_of_sweep(folder: Path) -> None:
    """Raise ValueError if a text in place of a folder of records is the name of a sweep."""
    if folder.exists() or not (found := find_sweeps(read_manifests(DEFAULT_RUNS), str(folder))):
        return
    is_search = found[-1].kind in SAMPLED_KINDS
    words = ("summary", DEFAULT_RUNS, "--sweep", folder) if is_search else ("tables", folder)
    command = command_line(*map(str, words), runs=DEFAULT_RUNS)
    raise ValueError(f"{folder} is a sweep, and summary takes a folder of records: type {command}")


def print_summary(frames: Frames, name: str | None, as_json: bool) -> None:
    """Print the summary of the search called `name`, or of the imported table or newest search.

    Raises:
        ValueError: the search is unknown or has no finished trial.
    """
    sweep = _find_search(frames, name)
    points = point_table(frames, sweep)
    if points.points.rows.empty:
        raise ValueError("no trial is done yet")
    summary, warnings = summarise(points)
    summary = summary._replace(savings=pruning_savings(frames, sweep))
    for warning in (*_mixture_notes(frames, sweep), *warnings):
        print(warning, file=sys.stderr)
    as_text = json.dumps(summary_dict(summary), indent=1, allow_nan=False)
    if as_json:
        print(as_text)
    else:
        sampled = sampled_sweeps(frames) if frames.imported is None else []
        if used := sweep or next(reversed(sampled), None):
            print_wrapped(f"{used.title}, sweep {used.sweep_id}")
        print_wrapped(format_summary(summary))


def _mixture_notes(frames: Frames, sweep: SweepManifest | None) -> Iterator[str]:
    """Yield a sentence if trials of several sweeps, none of which is a search, are summarised."""
    if sweep is None and frames.imported is None and not sampled_sweeps(frames):
        names = ", ".join(dict.fromkeys(sweep.name for sweep in frames.sweeps))
        among = f", of the sweeps {names}" if names else ""
        yield f"no search is on record: these are all trials{among}; tables compares their cells"


def _find_search(frames: Frames, name: str | None) -> SweepManifest | None:
    """Return the search called `name`; None stands for the imported table or newest search.

    Raises:
        ValueError: no search has this name.
    """
    searches = {sweep.name: sweep for sweep in sampled_sweeps(frames)}
    if name is not None:
        found = find_sweeps(sampled_sweeps(frames), name)
        if not found:
            known = suggest(name, searches) if searches else "there is none"
            raise ValueError(f"there is no search {name} on record: {known}")
        print_ambiguity(sampled_sweeps(frames), name)
        return found[-1]
    if frames.imported is None and len(searches) > 1:
        *others, last = searches
        print(f"of {last}, the newest; --sweep names another: {', '.join(others)}", file=sys.stderr)
    return None
