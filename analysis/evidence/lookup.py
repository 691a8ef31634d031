"""Find the cell or the trial that a name on the command line refers to.

A name is [SWEEP/]LABEL of a cell or the start of one trial id; `find_cell` also takes SWEEP alone.
SWEEP is a name, which refers to its newest manifest, an id or the start of one.
"""

from collections.abc import Iterable

import pandas as pd

from clip_hparam.analysis.evidence.replicates import planned_trials
from clip_hparam.analysis.evidence.selection import SelectedCell, select_best_cell
from clip_hparam.analysis.frames.frame import CELL_KNOBS, Frames, done_trials
from clip_hparam.analysis.frames.importing.cells import IMPORTED_KIND, cell_numbers
from clip_hparam.analysis.frames.manifests import (
    ManifestCell,
    SweepManifest,
    find_sweeps,
    newest_by_name,
)
from clip_hparam.config.knob import close_names
from clip_hparam.records.manifests.lookup import (
    find_cells,
    find_trial_id,
    name_in_older_sweep,
)
from clip_hparam.records.paths import command_line


def cell_trials(frames: Frames, name: str) -> pd.DataFrame:
    """Return the trials of a cell, index: seed. `name` is [SWEEP/]LABEL or the start of a trial id.

    A trial refers to its cell: all recorded trials of the same recipe with any seed, or all rows of
    an imported table with equal knobs.

    Raises:
        ValueError: no cell or trial has the name, or several that differ.
    """
    by_id = frames.trials.set_index("trial_id", drop=False)
    if cells := find_cells(frames.sweeps, name):
        return planned_trials(by_id, cells[0][1])
    trial_id = find_trial_id(by_id.index, name)
    if trial_id is None:
        raise _unknown_name(frames, name)
    if imported := _imported_cell(frames, trial_id):
        return planned_trials(by_id, imported)
    key = cell_key(by_id)
    same: pd.DataFrame = by_id[key == key[trial_id]]
    return same.set_index("seed")


def find_cell(frames: Frames, name: str) -> SelectedCell:
    """Return the best finished cell of a sweep, or the cell of a label or of a planned trial.

    `name` is SWEEP, [SWEEP/]LABEL or the start of a trial id.

    Raises:
        ValueError: nothing has the name, several cells have it, or no cell of the sweep is
            finished.
    """
    newest = newest_by_name(frames.sweeps)
    if name in newest or any(name == sweep.sweep_id for sweep in frames.sweeps):
        return _best_cell_of(frames, name)
    cells = find_cells(frames.sweeps, name) or _cells_of_trial(newest.values(), name)
    if not cells:
        if find_sweeps(frames.sweeps, name):
            return _best_cell_of(frames, name)
        if trial_id := find_trial_id(frames.trials["trial_id"], name):
            command = command_line("why", trial_id, runs=frames.runs)
            raise ValueError(
                f"{trial_id} is in no cell of the newest sweeps: {command} shows what it runs"
            )
        raise _unknown_name(frames, name)
    sweep, cell = cells[0]
    if sweep.kind == IMPORTED_KIND:
        raise _no_recipe(name)
    trials = planned_trials(frames.trials.set_index("trial_id", drop=False), cell)
    return SelectedCell(sweep, cell, done_trials(trials))


def _best_cell_of(frames: Frames, name: str) -> SelectedCell:
    """Return the best cell of a sweep. Raises ValueError if it is an imported table."""
    sweep = find_sweeps(frames.sweeps, name)[-1]
    if sweep.kind == IMPORTED_KIND:
        raise _no_recipe(name)
    return select_best_cell(frames, sweep)


def _no_recipe(name: str) -> ValueError:
    return ValueError(f"{name} is imported: it has no recipe of clip-hparam")


def is_imported(trials: pd.DataFrame) -> bool:
    """Return whether the trials are rows of an imported table."""
    return bool((trials["folder"].isna() & trials["trial_id"].notna()).any())


def _imported_cell(frames: Frames, trial_id: str) -> ManifestCell | None:
    """Return the cell of a row of an imported table; None for a trial of ours."""
    sweep = next((sweep for sweep in frames.sweeps if sweep.kind == IMPORTED_KIND), None)
    if sweep is None or frames.imported is None or trial_id not in frames.imported.rows.index:
        return None
    return sweep.cells[int(cell_numbers(frames.imported)[trial_id])]


def cell_key(trials: pd.DataFrame) -> pd.Series:
    """Return a text for each trial that is equal for trials of one cell."""
    texts = trials[list(CELL_KNOBS)].astype(str).fillna("(missing)")  # imported rows lack knobs
    joined: pd.Series = texts.agg("\x00".join, axis=1)
    return joined


def _cells_of_trial(
    sweeps: Iterable[SweepManifest], prefix: str
) -> list[tuple[SweepManifest, ManifestCell]]:
    """Return the cells of the planned trial whose id starts with `prefix`, with their sweeps."""
    cells = [(sweep, cell) for sweep in sweeps for cell in sweep.cells]
    planned = dict.fromkeys(trial for _, cell in cells for trial in cell.trials.values())
    trial_id = find_trial_id(planned, prefix)
    return [(sweep, cell) for sweep, cell in cells if trial_id in cell.trials.values()]


def _unknown_name(frames: Frames, name: str) -> ValueError:
    """Return an error that names similar cells, or the cells of the sweep that was named."""
    if sweeps := find_sweeps(frames.sweeps, name):
        cells = [f"{name}/{cell.label}" for cell in sweeps[-1].cells[:3]]
        return ValueError(f"{name} is a sweep: name one of its cells, such as {', '.join(cells)}")
    if older := name_in_older_sweep(frames.sweeps, name):
        return ValueError(f"{name} is a cell of an older sweep only: type {older}")
    newest = newest_by_name(frames.sweeps)
    labels = [cell.label for sweep in newest.values() for cell in sweep.cells]
    close = close_names(name, sorted({*newest, *labels}))
    status = command_line("status", runs=frames.runs)
    hint = f"did you mean {' or '.join(close)}?" if close else f"{status} lists the sweeps"
    return ValueError(f"no cell or trial is called {name}: {hint}")
