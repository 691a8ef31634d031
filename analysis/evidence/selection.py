"""Choose the best cell by its accuracy on the selection set. The test set selects nothing."""

from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.evidence import Replicates
from clip_hparam.analysis.frames.frame import Frames, reported_values
from clip_hparam.analysis.frames.manifests import ManifestCell, SweepManifest


class SelectionEffect(NamedTuple):
    """Two ways to report the best of several; accuracies in percent."""

    chosen: str  # best on the selection set
    reported: float  # its test accuracy: what may be said
    claimed_for: str  # best on the test set
    claimed: float  # its test accuracy: what picking on the test set would have claimed

    @property
    def optimism(self) -> float:
        """In points; never negative."""
        return self.claimed - self.reported


def selection_effect(selection: pd.Series, test: pd.Series) -> SelectionEffect:
    """Of mean accuracies by name (the index of both); ties to the earlier. No value is missing."""
    names, accuracy = list(test.index), test.to_numpy(dtype=float)
    chosen = int(selection.loc[names].to_numpy(dtype=float).argmax())
    claimed = int(accuracy.argmax())
    return SelectionEffect(
        str(names[chosen]), float(accuracy[chosen]), str(names[claimed]), float(accuracy[claimed])
    )


class SelectedCell(NamedTuple):
    """A cell, its done trials (index: seed), and of how many finished cells it is the best."""

    sweep: SweepManifest
    cell: ManifestCell
    trials: pd.DataFrame
    n_candidates: int = 0  # 0: it was named, not picked


def select_best_cell(frames: Frames, sweep: SweepManifest) -> SelectedCell:
    with_trials = [(cell, done_trials(frames, cell)) for cell in sweep.cells]
    finished = [(cell, done) for cell, done in with_trials if len(done) == len(cell.trials) > 0]
    if not finished:
        raise ValueError(f"no cell of {sweep.name} is finished: clip-hparam status shows why")
    means = [float(reported_values(done, "selection_acc1").mean()) for _, done in finished]
    best, done = finished[means.index(max(means))]
    return SelectedCell(sweep, best, done, len(finished))


def done_trials(frames: Frames, cell: ManifestCell) -> pd.DataFrame:
    trials = frames.trials.set_index("trial_id", drop=False)
    rows = trials.reindex(list(cell.trials.values())).set_axis(pd.Index(cell.trials), axis="index")
    done: pd.DataFrame = rows[rows["status"] == "done"]
    return done


def selection_accuracy(cell: Replicates) -> float:
    return float(reported_values(cell.trials, "selection_acc1").mean())
