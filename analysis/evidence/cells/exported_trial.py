"""Choose the trial to export for a name, and describe the evidence of its cell."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.lookup import find_cell
from clip_hparam.analysis.evidence.selection import SelectedCell
from clip_hparam.analysis.frames.frame import load, reported_values
from clip_hparam.analysis.stats.intervals import estimate
from clip_hparam.records.manifests.lookup import find_trial_id
from clip_hparam.records.paths import command_line
from clip_hparam.records.record import trial_ids


class ChosenTrial(NamedTuple):
    """A trial, and sentences about its cell: accuracy with interval, seeds, how it was chosen."""

    trial_id: str
    evidence: tuple[str, ...] = ()


def choose_trial(runs: Path, name: str) -> ChosenTrial:
    """Return the trial that starts with `name`, or the best seed of a cell on the selection set.

    name: as `find_cell` takes it; of a sweep, its best cell.

    Raises: ValueError if nothing has the name, or no trial of the cell is done.
    """
    frames = load(runs)
    trial = find_trial_id(trial_ids(runs), name)
    try:
        selected = find_cell(frames, name)
    except ValueError:
        if trial is None:
            raise
        return ChosenTrial(trial)
    if trial is not None:
        return ChosenTrial(trial, tuple(describe_cell(selected)))
    if selected.trials.empty:
        retry = command_line("retry", selected.sweep.sweep_id, "--run", runs=runs)
        raise ValueError(f"no trial of {selected.cell.label} is done: {retry} runs them")
    seed = best_seed(selected.trials)
    best = selected.trials.loc[seed]
    accuracy = float(reported_values(selected.trials, "selection_acc1").loc[seed])
    choice = (
        f"Exported is seed {seed} (trial {best['trial_id']}), the best of"
        f" {len(selected.trials)} seeds on the selection set ({accuracy:.2f} %)."
    )
    return ChosenTrial(str(best["trial_id"]), (*describe_cell(selected), choice))


def best_seed(trials: pd.DataFrame) -> int:
    """Return the seed with the highest selection accuracy; ties go to the lower selection loss."""
    accuracy = reported_values(trials, "selection_acc1")
    loss = reported_values(trials, "selection_loss")
    ranked = pd.DataFrame({"accuracy": -accuracy, "loss": loss}).sort_values(
        ["accuracy", "loss"], kind="stable"
    )
    return int(ranked.index[0])


def describe_cell(selected: SelectedCell) -> list[str]:
    """Return sentences about a cell: its test accuracy over the seeds, with interval."""
    accuracy = estimate(reported_values(selected.trials))
    sweep = f"sweep {selected.sweep.name} ({selected.sweep.sweep_id})"
    interval = (
        f"no interval, {accuracy.why}"
        if accuracy.why
        else f"95 % t interval {accuracy.low:.2f} to {accuracy.high:.2f} %"
    )
    seeds = ", ".join(map(str, selected.trials.index))
    lines = [
        f"Cell {selected.cell.label} of {sweep}: test accuracy {accuracy.mean:.2f} % over"
        f" {accuracy.n} seeds ({seeds}), {interval}."
    ]
    if selected.n_candidates > 1:
        lines.append(
            f"It is the best of {selected.n_candidates} finished cells on the selection set."
        )
    return lines
