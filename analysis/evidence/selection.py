"""Choose the best cell by its accuracy on the selection set. Never use the test set."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.replicates import Replicates, sweep_replicates
from clip_hparam.analysis.frames.frame import Frames, reported_values
from clip_hparam.analysis.frames.manifests import ManifestCell, SweepManifest
from clip_hparam.records.paths import command_line


class SelectedCell(NamedTuple):
    """A cell with its done trials, and the number of finished cells that it was chosen from."""

    sweep: SweepManifest
    cell: ManifestCell
    trials: pd.DataFrame  # index: seed
    n_candidates: int = 0  # 0: the user named the cell


class SelectionEffect(NamedTuple):
    """Two ways to report the best of several cells; accuracies in percent."""

    chosen: str  # name of the best cell on the selection set
    reported: float  # its test accuracy, which is unbiased
    claimed_for: str  # name of the best cell on the test set
    claimed: float  # its test accuracy, which is biased upwards

    @property
    def optimism(self) -> float:
        """Bias of selecting on the test set, in points; never negative."""
        return self.claimed - self.reported


def selection_accuracy(trials: pd.DataFrame) -> float:
    """Return the mean accuracy of the trials on the selection set in percent.

    NaN if a trial has none.
    """
    return float(reported_values(trials, "selection_acc1").mean(skipna=False))


def finished_cells(cells: Iterable[Replicates]) -> list[Replicates]:
    """Return the cells that have trials and a number for each of them."""
    return [cell for cell in cells if cell.complete and len(cell.values)]


def best_cell(cells: Iterable[Replicates]) -> Replicates | None:
    """Return the finished cell with the highest selection accuracy, ties to the earlier.

    None if no cell is finished.
    """
    candidates = finished_cells(cells)
    best = best_index([selection_accuracy(cell.trials) for cell in candidates])
    return None if best is None else candidates[best]


def best_index(scores: Sequence[float]) -> int | None:
    """Return the index of the highest score, ties to the earlier; None if all are NaN."""
    return None if np.isnan(scores).all() else int(np.nanargmax(scores))


def select_best_cell(frames: Frames, sweep: SweepManifest) -> SelectedCell:
    """Return the best cell of a sweep with its trials.

    Raises:
        ValueError: no cell of the sweep is finished.
    """
    finished = finished_cells(sweep_replicates(frames, sweep))
    best = best_cell(finished)
    if best is None:
        status = command_line("status", sweep.sweep_id, runs=frames.runs)
        raise ValueError(f"no cell of {sweep.name} is finished: {status} shows why")
    return SelectedCell(sweep, best.cell, best.trials, len(finished))


def selection_effect(selection: pd.Series, test: pd.Series) -> SelectionEffect:
    """Compare selecting on the selection set with selecting on the test set.

    selection, test: mean accuracies by the name of the cell (index of both); ties go to the
    earlier. No value may be missing.
    """
    names, accuracy = list(test.index), test.to_numpy(dtype=float)
    chosen = int(selection.loc[names].to_numpy(dtype=float).argmax())
    claimed = int(accuracy.argmax())
    return SelectionEffect(
        str(names[chosen]), float(accuracy[chosen]), str(names[claimed]), float(accuracy[claimed])
    )
