"""The tables of a sweep: its plan before it runs, and its results at the end."""

import shlex
from collections import Counter
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clip_hparam.config.duration import format_duration
from clip_hparam.launch.base import Capacity
from clip_hparam.records.metrics import mean_reported_value
from clip_hparam.records.paths import log_path
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState
from clip_hparam.sweep.sweep import Sweep


def show_plan(
    sweep: Sweep, done: set[str], seconds: dict[str, float | None], capacity: Capacity
) -> None:
    """Print the plan for `dry_run=true`.

    seconds: predictions for the trials that are not done, None where unknown.
    """
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    for column in ("cell", "seeds", "done", "to do", "predicted", "python sweep.py ..."):
        table.add_column(column, overflow="fold")
    for label, ids in _ids_by_cell(sweep).items():
        overrides = next(p.cell.overrides for p in sweep.planned if p.cell.label == label)
        left = [trial_id for trial_id in ids if trial_id not in done]
        predicted = _format_total([seconds[trial_id] for trial_id in left])
        numbers = (str(len(ids)), str(len(ids) - len(left)), str(len(left)), predicted)
        table.add_row(Text(label), *numbers, Text(shlex.join(overrides)))
    console = Console()
    plan = f"plan of {sweep.name} ({sweep.kind}), sweep {sweep.id}"
    console.print(plan, markup=False, highlight=False)
    console.print(table)
    for note in sweep.notes:
        console.print(note, markup=False, highlight=False)
    total = _format_total(
        [None if value is None else value / capacity.at_once for value in seconds.values()]
    )
    console.print(
        f"{len(sweep.specs)} trials: {len(done)} done, {len(seconds)} to do; predicted time"
        f" {capacity.description}: {total}; nothing was started",
        highlight=False,
        soft_wrap=True,
    )


def _format_total(seconds: list[float | None]) -> str:
    known = [value for value in seconds if value is not None]
    return format_duration(sum(known)) if len(known) == len(seconds) else "unknown"


def show_table(sweep: Sweep, before: set[str], states: dict[str, str]) -> None:
    """Print a row per cell: trials that ran, that were already done, and that failed.

    before: ids of the trials that were done before the sweep started.
    """
    table = Table(title=Text(f"{sweep.name}, sweep {sweep.id}", "table.title"))
    for column in ("cell", "ran", "already there", "not done", "test acc1, mean"):
        table.add_column(column, justify="left" if column == "cell" else "right", overflow="fold")
    for label, ids in _ids_by_cell(sweep).items():
        n_before = sum(trial_id in before for trial_id in ids)
        n_ran = sum(states.get(trial_id) == TrialState.DONE for trial_id in ids) - n_before
        others = Counter(
            state for trial_id in ids if (state := states.get(trial_id)) != TrialState.DONE
        )
        not_done = ", ".join(f"{n} {state}" for state, n in others.items()) or "0"
        table.add_row(Text(label), str(n_ran), str(n_before), not_done, _mean_accuracy(sweep, ids))
    console = Console()
    console.print(table)
    for trial_id, state in states.items():
        if state != TrialState.DONE:
            console.print(_failure_text(sweep, trial_id, state), markup=False, soft_wrap=True)


def _ids_by_cell(sweep: Sweep) -> dict[str, list[str]]:
    cells: dict[str, list[str]] = {}
    for plan in sweep.planned:
        cells.setdefault(plan.cell.label, []).append(plan.trial_id)
    return cells


def _mean_accuracy(sweep: Sweep, ids: list[str]) -> str:
    read = (Record(sweep.runs, trial_id).result() for trial_id in ids)
    results = [result for result in read if result]
    if len(results) < len(ids):
        return f"{len(results)} of {len(ids)}"
    return f"{mean_reported_value(results):.2f}"


def _failure_text(sweep: Sweep, trial_id: str, state: str) -> str:
    return f"{trial_id} {state}: {failure_message(sweep.runs, trial_id)}"


def failure_message(runs: Path, trial_id: str) -> str:
    """Return why a trial or a search worker is not done, and its log if there is one."""
    failure = Record(runs, trial_id).failure() or {}
    log = log_path(runs, trial_id)
    message: str = failure.get("message", "did not end")
    return f"{message} (see {log})" if log.exists() else message
