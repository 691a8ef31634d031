"""Compare two cells: knobs that differ, and the paired difference of their results."""

from typing import Any, NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.lookup import cell_trials, is_imported
from clip_hparam.analysis.evidence.replicates import first_recorded
from clip_hparam.analysis.frames.frame import CELL_KNOBS, Frames, reported_values
from clip_hparam.analysis.frames.imported import imported_column
from clip_hparam.analysis.frames.labels import decimals
from clip_hparam.analysis.frames.trial_table import TrialTable, to_json_value
from clip_hparam.analysis.stats.intervals import Estimate, estimate, paired_differences
from clip_hparam.config.knob import suggest
from clip_hparam.records.metrics import is_percentage


class Side(NamedTuple):
    """One of the two cells. `mean` is over the seeds that are done; `asked` counts planned ones."""

    mean: float
    done: int
    asked: int


class Comparison(NamedTuple):
    """Two cells side by side."""

    differs: dict[str, tuple[Any, Any]]  # knob -> (before, after)
    before: Side
    after: Side
    difference: Estimate  # after minus before, paired by seed
    digits: int = 2  # decimals of the metric

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values; a missing number is None."""
        return {
            "differs": {knob: list(values) for knob, values in self.differs.items()},
            "before": _to_json_values(self.before._asdict()),
            "after": _to_json_values(self.after._asdict()),
            "difference": _to_json_values(self.difference._asdict()),
        }


def compare_cells(frames: Frames, before: str, after: str, metric: str | None = None) -> Comparison:
    """Compare two cells by their names: [SWEEP/]LABEL or the start of a trial id.

    metric: by default test_acc1, or the objective of an imported table.

    Raises:
        ValueError: a name is no cell and no trial, the metric is unknown, or only one of the cells
            is imported.
    """
    trials_before, trials_after = cell_trials(frames, before), cell_trials(frames, after)
    imported = is_imported(trials_before)
    if imported != is_imported(trials_after):
        raise ValueError(f"one of {before} and {after} is imported: their units and seeds differ")
    table = frames.imported if imported else None
    names = CELL_KNOBS if table is None else tuple(map(imported_column, table.knobs))
    old, new = _cell_recipe(trials_before, names), _cell_recipe(trials_after, names)
    wanted = metric or default_metric(frames)
    values_before, values_after = (
        _values(trials, wanted, table).dropna() for trials in (trials_before, trials_after)
    )
    return Comparison(
        {knob: (old[knob], new[knob]) for knob in names if old[knob] != new[knob]},
        Side(float(values_before.mean()), len(values_before), len(trials_before)),
        Side(float(values_after.mean()), len(values_after), len(trials_after)),
        estimate(paired_differences(values_after, values_before)),
        2 if table is None and is_percentage(wanted) else decimals(_typical(values_before)),
    )


def _typical(values: pd.Series) -> float:
    return float(values.abs().median()) if len(values) else 0.0


def default_metric(frames: Frames) -> str:
    """Return the metric that `compare_cells` uses if none is named."""
    return "test_acc1" if frames.imported is None else frames.imported.objective


def _values(trials: pd.DataFrame, metric: str, table: TrialTable | None) -> pd.Series:
    """Return a metric of recorded trials, or of rows of an imported table."""
    if table is None:
        return reported_values(trials, metric)
    if metric not in table.metrics:
        names = suggest(metric, table.metrics)
        raise ValueError(f"the imported table has no metric {metric}: {names}")
    return trials[imported_column(metric)]


def _cell_recipe(trials: pd.DataFrame, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the knobs of the cell's first recorded trial; None for each if none is recorded."""
    first = first_recorded(trials)
    return {knob: to_json_value(first.get(knob)) for knob in names}


def _to_json_values(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: to_json_value(value) for name, value in facts.items()}
