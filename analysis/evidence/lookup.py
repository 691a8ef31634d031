"""Find the cell or the trial that a name on the command line refers to.

A name is [SWEEP/]LABEL of a cell or the start of one trial id; `find_cell` also takes the name or
the id of a sweep. Of several sweeps with one name the newest is used.
"""

from collections.abc import Iterable

import pandas as pd

from clip_hparam.analysis.evidence.evidence import planned_trials
from clip_hparam.analysis.evidence.selection import SelectedCell, select_best_cell
from clip_hparam.analysis.frames.frame import CELL_KNOBS, Frames
from clip_hparam.analysis.frames.manifests import ManifestCell, SweepManifest, newest_by_name
from clip_hparam.config.knob import suggest

MAX_NAMED_TRIALS = 5  # trial ids that a message lists


def find_cells(
    manifests: Iterable[SweepManifest], name: str
) -> list[tuple[SweepManifest, ManifestCell]]:
    """Return the cells that [SWEEP/]LABEL refers to, in the newest sweep of each name.

    The part before the first "/" is a sweep if a sweep has this name. Otherwise the whole name is a
    label, which may hold a "/" (`recipe=ft_clip/b16`).
    """
    newest = newest_by_name(manifests)
    head, _, tail = name.partition("/")
    sweeps, label = ([newest[head]], tail) if tail and head in newest else (newest.values(), name)
    return [(sweep, cell) for sweep in sweeps for cell in sweep.cells if cell.label == label]


def find_trial_id(ids: Iterable[str], prefix: str) -> str:
    """Return the only id that starts with `prefix`.

    Raises:
        LookupError: no id or several ids start with it; `args` holds these ids.
    """
    matches = [trial_id for trial_id in ids if trial_id.startswith(prefix)]
    if len(matches) != 1:
        raise LookupError(*matches)
    return matches[0]


def cell_trials(frames: Frames, name: str) -> pd.DataFrame:
    """Return the trials of a cell, index: seed. `name` is [SWEEP/]LABEL or the start of a trial id.

    A trial refers to its cell: all recorded trials of the same recipe with any seed.

    Raises:
        ValueError: no cell or trial has the name, or several that differ.
    """
    by_id = frames.trials.set_index("trial_id", drop=False)
    match = _find_cell_by_label(frames, name)
    if match is not None:
        return planned_trials(by_id, match[1])
    trial_id = _find_trial_id(by_id.index, name, [*_labels(frames), *by_id.index])
    key = cell_key(by_id)
    same: pd.DataFrame = by_id[key == key[trial_id]]
    return same.set_index("seed")


def find_cell(frames: Frames, name: str) -> SelectedCell:
    """Return the best finished cell of a sweep, or the cell of a label or of a planned trial.

    `name` is SWEEP, SWEEP_ID, [SWEEP/]LABEL or the start of a trial id.

    Raises:
        ValueError: nothing has the name, several cells have it, or no cell of the sweep is
            finished.
    """
    newest = newest_by_name(frames.sweeps)
    sweeps = {sweep.sweep_id: sweep for sweep in frames.sweeps} | newest
    if name in sweeps:
        return select_best_cell(frames, sweeps[name])
    match = _find_cell_by_label(frames, name)
    if match is None:
        by_trial = _cells_by_trial(newest.values())
        match = by_trial[_find_trial_id(by_trial, name, [*newest, *_labels(frames)])]
    sweep, cell = match
    trials = planned_trials(frames.trials.set_index("trial_id", drop=False), cell)
    return SelectedCell(sweep, cell, trials[trials["status"] == "done"])


def cell_key(trials: pd.DataFrame) -> pd.Series:
    """Return a text for each trial that is equal for trials of one cell."""
    joined: pd.Series = trials[list(CELL_KNOBS)].astype(str).agg("\x00".join, axis=1)
    return joined


def _find_cell_by_label(frames: Frames, name: str) -> tuple[SweepManifest, ManifestCell] | None:
    """Return the cell with its sweep; None if no cell has the label."""
    matches = find_cells(frames.sweeps, name)
    if len({tuple(sorted(cell.trials.values())) for _, cell in matches}) > 1:
        raise ValueError(f"several sweeps have a cell {name}: say SWEEP/{name}")
    return matches[0] if matches else None


def _cells_by_trial(
    sweeps: Iterable[SweepManifest],
) -> dict[str, tuple[SweepManifest, ManifestCell]]:
    """Return the cell of each planned trial; the oldest sweep's if several sweeps share a trial."""
    cells: dict[str, tuple[SweepManifest, ManifestCell]] = {}
    for sweep in sweeps:
        for cell in sweep.cells:
            for trial_id in cell.trials.values():
                cells.setdefault(trial_id, (sweep, cell))
    return cells


def _find_trial_id(ids: Iterable[str], name: str, known: Iterable[str]) -> str:
    """Return the trial's id. Raises: ValueError that names close ones among the known names."""
    try:
        return find_trial_id(ids, name)
    except LookupError as error:
        if error.args:
            matches = ", ".join(error.args[:MAX_NAMED_TRIALS])
            raise ValueError(f"several trials start with {name}: {matches}") from None
        raise ValueError(f"no cell or trial is called {name}: {suggest(name, known)}") from None


def _labels(frames: Frames) -> list[str]:
    sweeps = newest_by_name(frames.sweeps).values()
    return [cell.label for sweep in sweeps for cell in sweep.cells]
