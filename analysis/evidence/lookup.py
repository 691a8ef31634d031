"""Find the trials of a cell by [SWEEP/]LABEL or by the start of a trial id."""

import pandas as pd

from clip_hparam.analysis.evidence.selection import SelectedCell, done_trials, select_best_cell
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import ManifestCell, newest_by_name
from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import knobs

CELL_KNOBS = [name for name, knob in knobs().items() if knob.metadata["hashed"] and name != "seed"]


def cell_trials(frames: Frames, name: str) -> pd.DataFrame:
    """The trials of a cell, index: seed. `name` is [sweep/]label, or the start of a trial's id.

    A trial stands for its cell: all trials of the same recipe, whatever their seed.
    Raises ValueError if there is none, or several that differ.
    """
    trials = frames.trials.set_index("trial_id", drop=False)
    cells = _find_cells(frames, name)
    if cells:
        ids = {tuple(sorted(cell.trials.values())) for cell in cells}
        if len(ids) > 1:
            raise ValueError(f"several sweeps have a cell {name}: say SWEEP/{name}")
        return trials.reindex(list(cells[0].trials.values())).set_axis(pd.Index(cells[0].trials))
    found = trials[trials["trial_id"].str.startswith(name)]
    if len(found) != 1:
        labels = [
            cell.label for sweep in newest_by_name(frames.sweeps).values() for cell in sweep.cells
        ]
        what = "starts several trials" if len(found) else "is no trial and no cell"
        raise ValueError(f"{name} {what}: {suggest(name, [*labels, *trials.index])}")
    key = cell_key(trials)
    same: pd.DataFrame = trials[key == key[found.index[0]]]
    return same.set_index("seed")


def _find_cells(frames: Frames, name: str) -> list[ManifestCell]:
    sweep, _, label = name.rpartition("/")
    wanted = (one for key, one in newest_by_name(frames.sweeps).items() if sweep in ("", key))
    return [cell for one in wanted for cell in one.cells if cell.label == label]


def cell_key(trials: pd.DataFrame) -> pd.Series:
    """What trials of one cell have in common."""
    joined: pd.Series = trials[CELL_KNOBS].astype(str).agg("\x00".join, axis=1)
    return joined


def find_cell(frames: Frames, name: str) -> SelectedCell:
    """The best finished cell of a sweep on the selection set, or the cell or trial of a name.

    Raises ValueError if there is none.
    """
    sweeps = newest_by_name(frames.sweeps)
    by_id = {sweep.sweep_id: sweep for sweep in frames.sweeps}
    if sweep := sweeps.get(name) or by_id.get(name):
        return select_best_cell(frames, sweep)
    where, _, label = name.rpartition("/")
    for sweep in sweeps.values():
        for cell in sweep.cells:
            is_it = cell.label == label and where in ("", sweep.name)
            if is_it or (len(name) >= 6 and _contains_trial(cell, name)):
                return SelectedCell(sweep, cell, done_trials(frames, cell))
    raise ValueError(f"no sweep, cell or trial of one is called {name}: {suggest(name, sweeps)}")


def _contains_trial(cell: ManifestCell, prefix: str) -> bool:
    return any(trial.startswith(prefix) for trial in cell.trials.values())
