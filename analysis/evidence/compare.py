"""Compare two cells: knobs that differ, and the paired difference of their results."""

from typing import Any, NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.lookup import cell_trials
from clip_hparam.analysis.frames.frame import CELL_KNOBS, Frames, reported_values
from clip_hparam.analysis.frames.trial_table import to_json_value
from clip_hparam.analysis.stats.intervals import Estimate, estimate, paired_differences


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

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values; a missing number is None."""
        return {
            "differs": {knob: list(values) for knob, values in self.differs.items()},
            "before": _to_json_values(self.before._asdict()),
            "after": _to_json_values(self.after._asdict()),
            "difference": _to_json_values(self.difference._asdict()),
        }


def compare_cells(frames: Frames, before: str, after: str, metric: str = "test_acc1") -> Comparison:
    """Compare two cells by their names: [SWEEP/]LABEL or the start of a trial id.

    Raises:
        ValueError: a name is no cell and no trial, or the metric is unknown.
    """
    trials_before, trials_after = cell_trials(frames, before), cell_trials(frames, after)
    old, new = _cell_recipe(trials_before), _cell_recipe(trials_after)
    values_before = reported_values(trials_before, metric).dropna()
    values_after = reported_values(trials_after, metric).dropna()
    return Comparison(
        {knob: (old[knob], new[knob]) for knob in CELL_KNOBS if old[knob] != new[knob]},
        Side(float(values_before.mean()), len(values_before), len(trials_before)),
        Side(float(values_after.mean()), len(values_after), len(trials_after)),
        estimate(paired_differences(values_after, values_before)),
    )


def _cell_recipe(trials: pd.DataFrame) -> dict[str, Any]:
    """Return the knobs of the cell's first recorded trial; None for each if none is recorded."""
    recorded = trials.dropna(subset=["trial_id"])
    first = (recorded if len(recorded) else trials).iloc[0]
    return {knob: to_json_value(first[knob]) for knob in CELL_KNOBS}


def _to_json_values(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: to_json_value(value) for name, value in facts.items()}
