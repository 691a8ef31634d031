"""The planned trials of each cell of a sweep, one per seed, and the runs that are missing."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.frames.frame import Frames, reported_values
from clip_hparam.analysis.frames.importing.cells import IMPORTED_KIND
from clip_hparam.analysis.frames.manifests import ManifestCell, SweepManifest, find_sweeps
from clip_hparam.config.text.override_words import sweep_command, unquote
from clip_hparam.design.knob_levels import is_numeric, parse_level
from clip_hparam.records.state import TrialState


class NotSweptError(LookupError):
    """The sweep is not on record yet; the message gives the command that runs it."""


class Replicates(NamedTuple):
    """Planned trials of a cell, one per seed; a row of NaN where no record exists."""

    cell: ManifestCell
    trials: pd.DataFrame  # index: seed
    values: pd.Series  # the reported metric, index: seed

    @property
    def complete(self) -> bool:
        """Whether every planned trial has a value; also true without any trial."""
        return bool(self.values.notna().all())

    def mean(self, column: str) -> float:
        """Return the mean of a column over the trials; NaN if the cell is not complete."""
        return float(self.trials[column].mean()) if self.complete else math.nan


def sweep_of(frames: Frames, ablation: Ablation) -> SweepManifest:
    """Return the manifest of the ablation's sweep, the newest of its name if it states no id.

    Raises:
        NotSweptError: the sweep is not on record, or has no cell.
    """
    wanted = ablation.sweep_id or ablation.name
    sweep = next(reversed(find_sweeps(frames.sweeps, wanted)), None)
    if sweep is None or not sweep.cells:
        command = sweep_command("-m", f"sweeps={ablation.name}", runs=frames.runs)
        raise NotSweptError(f"no sweep named {ablation.name} is on record: type {command}")
    return sweep


def replicates(frames: Frames, ablation: Ablation) -> list[Replicates]:
    """Return the trials of each cell of the ablation's sweep, in the design's order.

    Raises:
        NotSweptError: the sweep is not on record.
    """
    cells = sweep_replicates(frames, sweep_of(frames, ablation), ablation.metric)
    columns = dict(ablation.metric_columns)
    return [
        cell._replace(values=cell.trials[columns[cell.cell.label]].astype(float))
        if columns.get(cell.cell.label) in cell.trials
        else cell
        for cell in cells
    ]


def sweep_replicates(
    frames: Frames, sweep: SweepManifest, metric: str = "test_acc1"
) -> list[Replicates]:
    """Return the trials of each cell of a sweep, in the design's order.

    metric: of a recorded trial, or a column of an imported table.
    """
    imported = sweep.kind == IMPORTED_KIND
    by_id = frames.trials.set_index("trial_id", drop=False)
    trials = [planned_trials(by_id, cell) for cell in sweep.cells]
    return [
        Replicates(cell, rows, rows[metric] if imported else reported_values(rows, metric))
        for cell, rows in zip(sweep.cells, trials, strict=True)
    ]


def planned_trials(by_id: pd.DataFrame, cell: ManifestCell) -> pd.DataFrame:
    """Return a row per planned trial of the cell, index: seed; NaN where no record exists.

    by_id: the trials of the frames, index: trial_id.
    """
    return by_id.reindex(list(cell.trials.values())).set_axis(list(cell.trials), axis="index")


def first_recorded(trials: pd.DataFrame) -> dict[str, Any]:
    """Return the columns of the first trial that is on record; empty if there is none."""
    recorded = trials[trials["status"].notna()]
    return {} if recorded.empty else {str(k): v for k, v in recorded.iloc[0].to_dict().items()}


def recorded_levels(cell: Replicates, knobs: Sequence[str]) -> dict[str, Any]:
    """Return the levels of these knobs in the cell's first recorded trial, NaN where unknown.

    Without a recorded trial they are those that the plan sets, `auto` excepted.
    """
    levels = first_recorded(cell.trials) or dict(map(_planned_level, cell.cell.overrides))
    return {name: levels.get(name, math.nan) for name in knobs}


def _planned_level(override: str) -> tuple[str, Any]:
    """Return the knob and the level of an override, as a record would hold them."""
    knob, _, text = override.partition("=")
    level = parse_level(text) if is_numeric(knob) else unquote(text)
    is_auto = is_numeric(knob) and isinstance(level, str)
    return knob, math.nan if is_auto else level


def count_missing_runs(frames: Frames, ablation: Ablation) -> int:
    """Return the number of planned runs without a value, pruned runs excepted.

    Raises:
        NotSweptError: the sweep is not on record.
    """
    cells = replicates(frames, ablation)
    return sum(
        int((c.values.isna() & (c.trials["status"] != TrialState.PRUNED)).sum()) for c in cells
    )
