"""The tables of a sweep: its plan before it runs, and its results at the end."""

import math
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from clip_hparam.config.identity import shorten
from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.text.count import counted
from clip_hparam.config.text.duration import format_duration
from clip_hparam.config.text.override_words import config_folder_words, program_words
from clip_hparam.design.design import key_of
from clip_hparam.design.paper_ladder import PAPER_V100_HOURS
from clip_hparam.launch.base import Capacity
from clip_hparam.planning.estimates.cost import CostEstimate
from clip_hparam.planning.estimates.memory import describe_memory
from clip_hparam.records.paths import log_path
from clip_hparam.records.record import Record
from clip_hparam.records.state import FINISHED, SCHEDULED, TrialState
from clip_hparam.sweep.budget import Predictions, describe_sources
from clip_hparam.sweep.console import print_plain
from clip_hparam.sweep.display.failures import Ended, failure_lines
from clip_hparam.sweep.display.results import PlannedCell, print_results, read_cell_results
from clip_hparam.sweep.display.text_table import Column, print_table
from clip_hparam.sweep.progress import display_names
from clip_hparam.sweep.sweep import PlannedTrial, Sweep

PAPER_FAMILY = "b16"
"""The family of the paper's ladder."""


def show_plan(sweep: Sweep, done: set[str], predictions: Predictions, capacity: Capacity) -> None:
    """Print the plan of a sweep that is not started.

    predictions: of the trials that are not done.
    """
    on_paper = sweep.family == PAPER_FAMILY and sweep.kind == "ladder"
    columns = [Column("cell", wraps=True)]
    columns += [Column(title, right=True) for title in ("seeds", "done", "to do", "predicted")]
    columns += [Column("GPU-hours", right=True)] if sweep.device_name else []
    columns += [Column("paper, V100-hours", right=True)] if on_paper else []
    program = shlex.join([*program_words(), *config_folder_words()])
    columns += [Column(f"{program} ...", wraps=True)]
    rows = []
    for label, ids in _ids_by_cell(sweep).items():
        overrides = next(_typed_words(p) for p in sweep.planned if p.cell.label == label)
        left = [predictions[trial_id] for trial_id in ids if trial_id not in done]
        row = [label, str(len(ids)), str(len(ids) - len(left)), str(len(left))]
        row += [_format_time(left)]
        row += [_format_gpu_hours(left)] if sweep.device_name else []
        row += [str(PAPER_V100_HOURS.get(label, ""))] if on_paper else []
        rows.append([*row, shlex.join(overrides)])
    console = Console()
    plan = f"plan of {shorten(sweep.name)} ({sweep.kind}), sweep {sweep.id}"
    print_plain(console, plan)
    print_table(console, columns, rows)
    sources = describe_sources(predictions, sweep.device_name)
    counts = f"{counted(len(sweep.specs), 'trial')}: {len(done)} done, {len(predictions)} to do"
    print_plain(
        console,
        *(*sweep.notes, *sources, *_memory_notes(sweep)),
        *request_lines(capacity),
        f"{counts}{_total_time(predictions, capacity)}; nothing was started",
    )


def request_lines(capacity: Capacity) -> list[str]:
    """Return what each job asks Slurm for, and its answers; nothing without Slurm."""
    return [f"each Slurm job: {capacity.request}", *capacity.answers] if capacity.request else []


def _total_time(predictions: Predictions, capacity: Capacity) -> str:
    """Return the part of a sentence about the time of a sweep; empty if nothing is left to run."""
    total = _format_time(list(predictions.values()), capacity.at_once)
    return f"; predicted time {capacity.description}: {total}" if predictions else ""


def _memory_notes(sweep: Sweep) -> list[str]:
    """Return a line for each different memory of the trials of a family that needs a GPU."""
    if not sweep.device_name:
        return []
    specs = {plan.cell: plan.spec for plan in sweep.planned}.values()
    lines = (
        describe_memory(as_resolved(spec.recipe), spec.machine, spec.gpus_per_trial)
        for spec in specs
    )
    return [f"memory: {line}" for line in dict.fromkeys(lines)]


def _typed_words(plan: PlannedTrial) -> list[str]:
    """Return the overrides that run a cell, those of the machine included, without the seed."""
    words = plan.spec.overrides or plan.cell.overrides
    return [w for w in words if key_of(w) != "seed" or w in plan.cell.overrides]


def _format_time(predictions: Sequence[CostEstimate | None], at_once: int = 1) -> str:
    known = [prediction.seconds for prediction in predictions if prediction]
    return format_duration(sum(known) / at_once) if len(known) == len(predictions) else "unknown"


def _format_gpu_hours(predictions: Sequence[CostEstimate | None]) -> str:
    hours = [prediction.gpu_hours for prediction in predictions if prediction]
    return "" if any(map(math.isnan, hours)) else f"{sum(hours):.1f}"


def show_table(sweep: Sweep, before: set[str], states: Mapping[str, TrialState]) -> None:
    """Print the results of the cells, the trials that ran, and why others are not done.

    before: ids of the trials that were done before the sweep started.
    """
    console = Console()
    name = sweep.title or shorten(sweep.name)
    print_plain(console, "", f"{name}, sweep {sweep.id}")
    known = {trial_id: states.get(trial_id, TrialState.PLANNED) for trial_id in sweep.specs}
    rows = read_cell_results(
        sweep.runs, sweep.name, sweep.kind, planned_cells(sweep), known, sweep.race
    )
    print_results(console, rows, sweep.name, sweep.kind)
    counts = Counter(known.values())
    done = counts.pop(TrialState.DONE, 0)
    done_before = sum(
        known[trial_id] == TrialState.DONE for trial_id in sweep.specs.keys() & before
    )
    others = "".join(f", {n} {state}" for state, n in counts.items())
    print_plain(console, f"trials: {done - done_before} ran, {done_before} done already{others}")
    print_plain(console, *failure_lines(_ended(sweep, states)))
    if not set(states.values()) <= {*FINISHED, *SCHEDULED}:
        print_plain(console, "run the same command again to run only the trials that are not done")


def _ended(sweep: Sweep, states: Mapping[str, TrialState]) -> list[Ended]:
    """Return the trials that are not done, with their reasons."""
    names = display_names(sweep)
    return [
        Ended(name, names.get(name, ""), state, *failure_reason(sweep.runs, name))
        for name, state in states.items()
        if state != TrialState.DONE
    ]


def planned_cells(sweep: Sweep) -> list[PlannedCell]:
    """Return the cells of a sweep with their trials by ascending seed."""
    cells: dict[str, dict[int, str]] = {}
    for plan in sweep.planned:
        cells.setdefault(plan.cell.label, {})[plan.seed] = plan.trial_id
    return [PlannedCell(label, dict(sorted(trials.items()))) for label, trials in cells.items()]


def _ids_by_cell(sweep: Sweep) -> dict[str, list[str]]:
    """Return the trials of each cell once; samples of a random design may be equal."""
    cells: dict[str, dict[str, None]] = {}
    for plan in sweep.planned:
        cells.setdefault(plan.cell.label, {})[plan.trial_id] = None
    return {label: list(ids) for label, ids in cells.items()}


def failure_message(runs: Path, trial_id: str) -> str:
    """Return why a trial is not done, and its log if there is one."""
    message, place = failure_reason(runs, trial_id)
    return f"{message} ({place})" if place else message


def failure_reason(runs: Path, trial_id: str) -> tuple[str, str]:
    """Return why a trial or a search worker is not done, and "see FILE"; empty without a log."""
    failure = Record(runs, trial_id).failure() or {}
    log = log_path(runs, trial_id)
    message: str = failure.get("message", "did not end")
    return message, f"see {log}" if log.exists() else ""
