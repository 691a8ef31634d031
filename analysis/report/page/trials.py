"""The trials of the report as columns, their commands, and the sweeps that planned them."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from clip_hparam.analysis.frames.frame import (
    CELL_KNOBS,
    FINGERPRINT_KNOBS,
    Frames,
    reported_values,
)
from clip_hparam.analysis.frames.labels import format_knob
from clip_hparam.analysis.frames.manifests import output_names
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.analysis.report.page.columns import json_column
from clip_hparam.config.text.override_words import program_words

MAX_TRIALS = 10_000  # rows; a browser filters more of them slowly
MAX_COMMANDS = 2_000
DERIVED_KNOBS = (*FINGERPRINT_KNOBS, "data.epoch_images")  # set at plan time


Commands = Mapping[str, Sequence[str]]
"""Overrides that run a trial again, by trial id."""
NO_COMMANDS: Commands = MappingProxyType({})


def shown_trials(frames: Frames) -> pd.DataFrame:
    """Return the trials of the page: all, or the first 10,000, those of sweeps before others."""
    if len(frames.trials) <= MAX_TRIALS:
        return frames.trials.reset_index(drop=True)
    planned = {trial_id for sweep in frames.sweeps for trial_id in sweep.trial_ids}
    order = (~frames.trials["trial_id"].isin(planned)).argsort(kind="stable")
    return frames.trials.iloc[order[:MAX_TRIALS]].sort_index().reset_index(drop=True)


def trials_json(frames: Frames, trials: pd.DataFrame, commands: Commands) -> dict[str, Any]:
    """Return the columns and commands of the trials, and the number that is left out.

    trials: rows of `shown_trials`.
    """
    return {
        "n": len(trials),
        "more": len(frames.trials) - len(trials),
        "columns": list(trial_columns(frames, trials)),
        "equal": equal_knobs(trials),
        "commands": [_command(row, commands) for row in _command_rows(trials)],
        "scopes": list(_scopes(frames, trials)),
    }


def trial_columns(frames: Frames, trials: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the columns that the table shows, the varied knobs among them."""
    for name, title, group in (
        ("trial_id", "trial", "id"),
        ("label", "label", "id"),
        ("status", "state", "state"),
    ):
        yield json_column(name, title, group, trials[name].fillna("unknown"))
    if trials.get("seed", pd.Series(dtype=float)).nunique() > 1:
        yield json_column("seed", "seed", "id", trials["seed"])
    for name in varied_knobs(trials):
        yield json_column(name, name, "knob", trials[name])
    if frames.imported is not None:
        yield from _imported_columns(frames.imported, trials)
    yield from _metric_columns(trials)


def varied_knobs(trials: pd.DataFrame) -> list[str]:
    """Return the knobs with more than one value among the recorded trials."""
    recorded = trials[trials["folder"].notna()]
    names = [name for name in CELL_KNOBS if name in recorded and name not in DERIVED_KNOBS]
    return [name for name in names if recorded[name].astype(str).nunique() > 1]


def equal_knobs(trials: pd.DataFrame) -> str:
    """Return the knobs that are equal in all recorded trials, as overrides."""
    recorded = trials[trials["folder"].notna()]
    if recorded.empty:
        return ""
    names = [name for name in CELL_KNOBS if name in recorded and name not in DERIVED_KNOBS]
    first = recorded.iloc[0]
    equal = (n for n in names if recorded[n].astype(str).nunique() == 1 and not pd.isna(first[n]))
    return " ".join(shlex.quote(f"{name}={format_knob(first[name])}") for name in equal)


def _imported_columns(table: TrialTable, trials: pd.DataFrame) -> Iterator[dict[str, Any]]:
    rows = table.rows[~table.rows.index.duplicated()].reindex(trials["trial_id"])
    for group, names in (("knob", table.knobs), ("metric", [table.objective, *table.metrics])):
        for name in dict.fromkeys(names):
            yield json_column(f"imported.{name}", name, group, rows[name].reset_index(drop=True))


def _metric_columns(trials: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the reported metrics and costs that at least one trial has."""
    wanted = [
        ("test_acc1", "test accuracy, %", "metric", reported_values(trials)),
        (
            "selection_acc1",
            "selection accuracy, %",
            "metric",
            reported_values(trials, "selection_acc1"),
        ),
        ("test_loss", "test loss", "metric", reported_values(trials, "test_loss")),
        ("epochs.selected", "selected epoch", "other", trials["epochs.selected"] + 1),
        ("cost.seconds", "seconds", "cost", trials["cost.seconds"]),
        (
            "cost.gpu_hours",
            "GPU-hours",
            "cost",
            trials["cost.gpu_hours"].replace(0.0, float("nan")),
        ),
    ]
    for name, title, group, values in wanted:
        if values.notna().any():
            yield json_column(name, title, group, values.astype(float))


def _command_rows(trials: pd.DataFrame) -> list[dict[Any, Any]]:
    names = [name for name in ("trial_id", "command") if name in trials]
    return trials[names].head(MAX_COMMANDS).to_dict("records")


def _command(row: dict[Any, Any], commands: Commands) -> str:
    overrides = commands.get(row["trial_id"])
    if overrides is not None:
        return shlex.join([*program_words(), *overrides])
    recorded = row.get("command")
    return recorded if isinstance(recorded, str) else ""


def _scopes(frames: Frames, trials: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the row numbers of the trials that each sweep planned, with the label of their cell."""
    rows = {trial_id: row for row, trial_id in enumerate(trials["trial_id"])}
    for name, sweep in output_names(frames.sweeps).items():
        members, cells = [], []
        for number, cell in enumerate(sweep.cells):
            cell_rows = [rows[trial_id] for trial_id in cell.trials.values() if trial_id in rows]
            members += cell_rows
            cells += [number] * len(cell_rows)
        labels = [cell.label for cell in sweep.cells]
        older = f", {name}" if name != sweep.name else ""  # a newer sweep has the name
        title = f"{sweep.title or sweep.name}{older}"
        yield {
            "key": name, "title": title, "rows": members, "cells": cells,
            "labels": labels, "search": sweep.kind == "search",
        }  # fmt: skip
