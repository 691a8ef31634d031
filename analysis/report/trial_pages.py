"""The collapsed entry of each trial in the report: its result, its facts and its command."""

import math
import shlex
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

from clip_hparam.analysis.frames.frame import Frames, reported_values
from clip_hparam.analysis.frames.labels import format_knob
from clip_hparam.analysis.frames.trial_table import add_columns
from clip_hparam.records.state import FINISHED

SPARKLINE_WIDTH, SPARKLINE_HEIGHT, MAX_FAILURES = 200, 60, 200
MAX_PAGES = 2_000  # entries; a browser opens a report with more of them slowly


Commands = Mapping[str, Sequence[str]]
"""Overrides that run a trial again, by trial id."""
NO_COMMANDS: Commands = MappingProxyType({})


class TrialPage(NamedTuple):
    """One trial; `raw` and `ema` are the points of an SVG polyline in a box of 200 x 60."""

    title: str
    facts: str
    command: str
    raw: str
    ema: str


def trial_pages(frames: Frames, commands: Commands = NO_COMMANDS) -> list[TrialPage]:
    """Return the entries of the first 2,000 trials; `commands`: overrides of trials by id."""
    trials = frames.trials.head(MAX_PAGES)
    epochs = frames.epochs[frames.epochs["trial_id"].isin(trials["trial_id"])]
    lines = {weights: _sparklines(epochs, weights) for weights in ("raw", "ema")}
    table = frames.imported
    imported = {} if table is None else dict(table.rows[table.objective])
    objective = "" if table is None else table.objective
    rows = add_columns(trials, reported=reported_values(trials)).to_dict("records")
    for row in rows:
        if row["trial_id"] in imported:
            row["result"] = f"{objective} {_format_value(imported[row['trial_id']])}"
    return [_trial_page(row, lines, commands.get(row["trial_id"])) for row in rows]


def failure_lines(frames: Frames) -> list[str]:
    """Return a line for each of the first 200 trials that are neither done nor pruned."""
    unfinished = frames.trials[~frames.trials["status"].isin(FINISHED)]
    lines = [
        f"{row['trial_id']} {row['label']}: {row['status']}{_failure_message(row)}"
        for row in unfinished.head(MAX_FAILURES).to_dict("records")
    ]
    more = len(unfinished) - len(lines)
    return [*lines, f"and {more} more"] if more else lines


def _failure_message(row: dict[Any, Any]) -> str:
    message = row.get("failure.message")
    return f": {message}" if isinstance(message, str) else ""


def _trial_page(
    row: dict[Any, Any], lines: dict[str, dict[str, str]], overrides: Sequence[str] | None
) -> TrialPage:
    """Return the entry of a trial; `result` of an imported row replaces the accuracy."""
    value = row["reported"]
    accuracy = row["status"] if math.isnan(value) else f"test accuracy {value:.2f} %"
    result = row.get("result", accuracy)
    facts = {
        "selected epoch": row["epochs.selected"] + 1, "weights": row["selected_weights"],
        "seconds": row["cost.seconds"], "git": row["git.sha"], "folder": row["folder"],
    }  # fmt: skip
    known = {name: fact for name, fact in facts.items() if not pd.isna(fact)}
    command = row.get("command")
    if overrides is not None:
        command = shlex.join(["python", "sweep.py", *overrides])
    has_seed = pd.isna(row.get("seed")) or "seed=" in str(row["label"])
    seed = "" if has_seed else f" seed={row['seed']:.0f}"
    return TrialPage(
        f"{_title(row)}{seed}: {result}",
        ", ".join(f"{name} {format_knob(fact)}" for name, fact in known.items()),
        command if isinstance(command, str) else "",
        lines["raw"].get(row["trial_id"], ""),
        lines["ema"].get(row["trial_id"], ""),
    )


def _title(row: dict[Any, Any]) -> str:
    """Return "ID LABEL"; only the id where both are equal, as for an imported row."""
    same = row["trial_id"] == row["label"]
    return str(row["trial_id"]) if same else f"{row['trial_id']} {row['label']}"


def _format_value(value: float) -> str:
    return "missing" if math.isnan(value) else f"{value:.6g}"


def _sparklines(epochs: pd.DataFrame, weights: str) -> dict[str, str]:
    """Return the polyline of each trial id; 0 % is at the bottom, 100 % at the top."""
    column = f"selection_acc1.{weights}"
    if column not in epochs:
        return {}
    rows = epochs[["trial_id", "epoch", column]].dropna().sort_values("epoch")
    last = rows.groupby("trial_id")["epoch"].transform("max").clip(lower=1)
    x = (SPARKLINE_WIDTH * rows["epoch"] / last).astype(float).round().astype(int).astype(str)
    y = (SPARKLINE_HEIGHT * (1 - rows[column].astype(float) / 100)).round(1).astype(str)
    points = x + "," + y
    return {str(name): " ".join(line) for name, line in points.groupby(rows["trial_id"])}
