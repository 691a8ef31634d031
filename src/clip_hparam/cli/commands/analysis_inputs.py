"""The commands import and summary: tables of other tools, and the result of a search."""

import argparse
import json
import sys
from pathlib import Path

from clip_hparam.analysis.evidence.summary import format_summary, pruning_savings, summarise
from clip_hparam.analysis.frames.frame import Frames, sampled_sweeps, trial_table
from clip_hparam.analysis.frames.import_table import read_table, to_trial_table, write_trial_table
from clip_hparam.config.knob import suggest


def add_import_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of import."""
    command.add_argument("file", type=Path, metavar="FILE", help=".csv, .tsv, .parquet or .jsonl")
    command.add_argument("--knob", action="append", required=True, help="a column; repeatable")
    command.add_argument("--metric", action="append", default=[], help="a column; repeatable")
    command.add_argument("--objective", required=True, help="the metric to optimise")
    command.add_argument("--minimize", action="store_true", help="lower is better")
    command.add_argument("--name", metavar="COLUMN", help="column with the names of the rows")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")


def add_summary_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of summary."""
    command.add_argument("runs", type=Path, metavar="DIR", help="folder of an import or of records")
    command.add_argument("--sweep", metavar="NAME", help="name of the search (the newest)")
    command.add_argument("--json", action="store_true", help="one JSON object on stdout")


def import_table(arguments: argparse.Namespace) -> None:
    """Write a table of another tool as an import folder and print what was kept.

    Raises FileNotFoundError or ValueError for wrong arguments, OSError for storage.
    """
    table = read_table(arguments.file)
    study = to_trial_table(
        table, arguments.knob, arguments.metric, arguments.objective,
        arguments.minimize, arguments.name,
    )  # fmt: skip
    paths = write_trial_table(study, arguments.file, arguments.out)
    kept = f"{len(study.rows)} of {len(table)} rows kept"
    dropped = (
        f"{study.duplicates} duplicates dropped, {study.incomplete} without any knob set aside"
    )
    print(f"{kept}: {dropped}", file=sys.stderr)
    print(*paths, sep="\n")


def print_summary(frames: Frames, name: str | None, as_json: bool) -> None:
    """Print the summary of a search or an import. Raises ValueError if no trial is done."""
    searches = {sweep.name: sweep for sweep in sampled_sweeps(frames)}
    if name is not None and name not in searches:
        known = suggest(name, searches) if searches else "there is none"
        raise ValueError(f"there is no search {name} on record: {known}")
    if name is None and frames.imported is None and len(searches) > 1:
        *others, last = searches
        print(f"of {last}, the newest; --sweep names another: {', '.join(others)}", file=sys.stderr)
    sweep = searches[name] if name else None
    study = trial_table(frames, sweep)
    if study.rows.empty:
        raise ValueError("no trial is done yet")
    summary, gaps = summarise(study)
    savings = pruning_savings(frames, sweep)
    summary["pruning"] = savings and {**savings._asdict(), "share": savings.share}
    for gap in gaps:
        print(gap, file=sys.stderr)
    print(
        json.dumps(summary, indent=1, allow_nan=False)
        if as_json
        else format_summary(summary, study)
    )
