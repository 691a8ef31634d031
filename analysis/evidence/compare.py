"""Two cells side by side: what differs in their recipes, and the paired difference in result."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.lookup import CELL_KNOBS, cell_trials
from clip_hparam.analysis.frames.frame import Frames, reported_values
from clip_hparam.analysis.stats.intervals import Estimate, estimate, paired_differences


class Side(NamedTuple):
    """A cell: the mean over the seeds that are done, and how many were asked for."""

    mean: float
    done: int
    asked: int


class Comparison(NamedTuple):
    """`differs` has (before, after) of each knob; `difference` is after less before, by seed."""

    differs: dict[str, tuple[Any, Any]]
    before: Side
    after: Side
    difference: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Plain types; None where there is no number."""
        sides = {
            name: _to_json_values(getattr(self, name)._asdict()) for name in ("before", "after")
        }
        differs = {knob: list(values) for knob, values in self.differs.items()}
        return {
            "differs": differs,
            **sides,
            "difference": _to_json_values(self.difference._asdict()),
        }


def compare_cells(frames: Frames, before: str, after: str, metric: str = "test_acc1") -> Comparison:
    """Raises ValueError for a name that is no trial and no cell, or an unknown metric."""
    one, other = cell_trials(frames, before), cell_trials(frames, after)
    left, right = _cell_recipe(one), _cell_recipe(other)
    ours, theirs = reported_values(one, metric).dropna(), reported_values(other, metric).dropna()
    return Comparison(
        {knob: (left[knob], right[knob]) for knob in CELL_KNOBS if left[knob] != right[knob]},
        Side(float(ours.mean()), len(ours), len(one)),
        Side(float(theirs.mean()), len(theirs), len(other)),
        estimate(paired_differences(theirs, ours)),
    )


def _cell_recipe(trials: pd.DataFrame) -> dict[str, Any]:
    """Knobs of a cell, by the first of its trials that is on record."""
    known = trials.dropna(subset=["trial_id"])
    first = (known if len(known) else trials).iloc[0]
    return {knob: _to_scalar(first[knob]) for knob in CELL_KNOBS}


def _to_scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _to_json_values(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in facts.items()
    }
