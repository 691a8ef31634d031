"""Means over the seeds of each point, so that the best point is not the luckiest seed."""

from typing import NamedTuple

from clip_hparam.analysis.frames.frame import Frames, trial_table
from clip_hparam.analysis.frames.importing.cells import cell_means, cell_numbers
from clip_hparam.analysis.frames.manifests import SweepManifest
from clip_hparam.analysis.frames.trial_table import TrialTable

SEED = "seed"


class PointTable(NamedTuple):
    """A row per point, and the single trials behind the rows."""

    points: TrialTable
    trials: TrialTable


def average_replicates(trials: TrialTable) -> PointTable:
    """Return the points of a table of trials: rows of equal knobs and different seeds are one.

    A point is the mean over its seeds, without a value if one of them has none. Where every point
    has one trial, the points are the trials.
    """
    if not trials.seed or not trials.knobs or cell_numbers(trials).is_unique:
        return PointTable(trials, trials)
    return PointTable(cell_means(trials), trials)


def point_table(frames: Frames, sweep: SweepManifest | None = None) -> PointTable:
    """Return the mean over the seeds of each point of a trial table."""
    table = trial_table(frames, sweep)
    if not table.ours:
        return PointTable(table, frames.imported or table)
    seeds = frames.trials.set_index("trial_id")[SEED].reindex(table.rows.index)
    return average_replicates(table._replace(rows=table.rows.assign(**{SEED: seeds}), seed=SEED))
