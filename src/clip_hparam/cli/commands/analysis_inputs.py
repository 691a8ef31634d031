"""Arguments and bodies of `import` and `summary`."""

import argparse
import json
import sys
from pathlib import Path

from clip_hparam.analysis.evidence.summary import format_summary, pruning_savings, summarise
from clip_hparam.analysis.frames.frame import Frames, sampled_sweeps, trial_table
from clip_hparam.analysis.frames.import_table import read_table, to_trial_table, write_trial_table
from clip_hparam.analysis.frames.manifests import SweepManifest, find_sweeps
from clip_hparam.cli.commands.queries import print_ambiguity
from clip_hparam.config.knob import suggest


def add_import_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help=".csv, .tsv, .parquet or .jsonl")
    command.add_argument("--knob", action="append", required=True, help="a column; repeatable")
    command.add_argument("--metric", action="append", default=[], help="a column; repeatable")
    command.add_argument("--objective", required=True, help="the metric that ranks the rows")
    command.add_argument("--minimize", action="store_true", help="lower is better")
    command.add_argument("--name", metavar="COLUMN", help="the column with the name of each row")
    command.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the imported table"
    )


def add_summary_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "runs", type=Path, metavar="DIR", help="folder of records or of an imported table"
    )
    command.add_argument("--sweep", metavar="NAME", help="the search (default: the newest)")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def import_table(arguments: argparse.Namespace) -> None:
    """Import a file of results and print the paths of the imported table.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the file cannot be read or lacks a column.
        OSError: the folder cannot be written.
    """
    rows = read_table(arguments.file)
    table = to_trial_table(
        rows, arguments.knob, arguments.metric, arguments.objective,
        arguments.minimize, arguments.name,
    )  # fmt: skip
    paths = write_trial_table(table, arguments.file, arguments.out)
    print(
        f"{len(table.rows)} of {len(rows)} rows kept: {table.duplicates} duplicates dropped,"
        f" {table.incomplete} rows without any knob left out",
        file=sys.stderr,
    )
    print(*paths, sep="\n")


def print_summary(frames: Frames, name: str | None, as_json: bool) -> None:
    """Print the summary of the search called `name`, or of the imported table or newest search.

    Raises:
        ValueError: the search is unknown or has no finished trial.
    """
    sweep = _find_search(frames, name)
    table = trial_table(frames, sweep)
    if table.rows.empty:
        raise ValueError("no trial is done yet")
    summary, warnings = summarise(table)
    savings = pruning_savings(frames, sweep)
    summary["pruning"] = savings and {**savings._asdict(), "share": savings.share}
    print(*warnings, sep="\n", end="\n" if warnings else "", file=sys.stderr)
    text = format_summary(summary, table)
    print(json.dumps(summary, indent=1, allow_nan=False) if as_json else text)


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
