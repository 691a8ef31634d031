"""`python -m analysis import` and `summary`: results of others, and what a search found."""

import argparse
import json
import sys
from pathlib import Path

from clip_hparam.analysis.evidence.summary import format_summary, pruning_savings, summarise
from clip_hparam.analysis.frames.frame import Frames, sampled_sweeps, trial_table
from clip_hparam.analysis.frames.import_table import read_table, to_trial_table, write_trial_table
from clip_hparam.config.knob import suggest


def add_import_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help=".csv, .tsv, .parquet or .jsonl")
    command.add_argument("--knob", action="append", required=True, help="a column; repeatable")
    command.add_argument("--metric", action="append", default=[], help="a column; repeatable")
    command.add_argument("--objective", required=True, help="the metric that says which is best")
    command.add_argument("--minimize", action="store_true", help="lower is better")
    command.add_argument("--name", metavar="COLUMN", help="what a row is called there")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="kept here")


def add_summary_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("runs", type=Path, metavar="DIR", help="of an import, or of records")
    command.add_argument("--sweep", metavar="NAME", help="of that search (the newest)")
    command.add_argument("--json", action="store_true", help="one JSON object on stdout")


def import_table(arguments: argparse.Namespace) -> None:
    """Raises FileNotFoundError or ValueError for a user's mistake, OSError for storage."""
    table = read_table(arguments.file)
    study = to_trial_table(
        table, arguments.knob, arguments.metric, arguments.objective,
        arguments.minimize, arguments.name,
    )  # fmt: skip
    paths = write_trial_table(study, arguments.file, arguments.out)
    said = f"{len(study.rows)} of {len(table)} rows kept"
    dropped = (
        f"{study.duplicates} duplicates dropped, {study.incomplete} without any knob set aside"
    )
    print(f"{said}: {dropped}", file=sys.stderr)
    print(*paths, sep="\n")


def print_summary(frames: Frames, name: str | None, as_json: bool) -> None:
    """Raises ValueError if there is nothing to sum up."""
    searches = {one.name: one for one in sampled_sweeps(frames)}
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
    said, gaps = summarise(study)
    spared = pruning_savings(frames, sweep)
    said["pruning"] = spared and {**spared._asdict(), "share": spared.share}
    for gap in gaps:
        print(gap, file=sys.stderr)
    print(json.dumps(said, indent=1, allow_nan=False) if as_json else format_summary(said, study))
