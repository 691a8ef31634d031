"""Two cells side by side: what differs in their recipes, and the paired difference in result."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from clip_hparam.analysis.frames.frame import Frames, reported
from clip_hparam.analysis.frames.manifests import Cell, newest
from clip_hparam.analysis.stats.intervals import Estimate, estimate, paired
from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import knobs

KNOBS = [name for name, knob in knobs().items() if knob.metadata["hashed"] and name != "seed"]


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
        sides = {name: _plain(getattr(self, name)._asdict()) for name in ("before", "after")}
        differs = {knob: list(values) for knob, values in self.differs.items()}
        return {"differs": differs, **sides, "difference": _plain(self.difference._asdict())}


def compare(frames: Frames, before: str, after: str, metric: str = "test_acc1") -> Comparison:
    """Raises ValueError for a name that is no trial and no cell, or an unknown metric."""
    one, other = cell_trials(frames, before), cell_trials(frames, after)
    left, right = _recipe(one), _recipe(other)
    ours, theirs = reported(one, metric).dropna(), reported(other, metric).dropna()
    return Comparison(
        {knob: (left[knob], right[knob]) for knob in KNOBS if left[knob] != right[knob]},
        Side(float(ours.mean()), len(ours), len(one)),
        Side(float(theirs.mean()), len(theirs), len(other)),
        estimate(paired(theirs, ours)),
    )


def cell_trials(frames: Frames, name: str) -> pd.DataFrame:
    """The trials of a cell, index: seed. `name` is [sweep/]label, or the start of a trial's id.

    A trial stands for its cell: all trials of the same recipe, whatever their seed.
    Raises ValueError if there is none, or several that differ.
    """
    trials = frames.trials.set_index("trial_id", drop=False)
    cells = _cells(frames, name)
    if cells:
        ids = {tuple(sorted(cell.trials.values())) for cell in cells}
        if len(ids) > 1:
            raise ValueError(f"several sweeps have a cell {name}: say SWEEP/{name}")
        return trials.reindex(list(cells[0].trials.values())).set_axis(pd.Index(cells[0].trials))
    found = trials[trials["trial_id"].str.startswith(name)]
    if len(found) != 1:
        labels = [cell.label for sweep in newest(frames.sweeps).values() for cell in sweep.cells]
        what = "starts several trials" if len(found) else "is no trial and no cell"
        raise ValueError(f"{name} {what}: {suggest(name, [*labels, *trials.index])}")
    key = cell_key(trials)
    same: pd.DataFrame = trials[key == key[found.index[0]]]
    return same.set_index("seed")


def _cells(frames: Frames, name: str) -> list[Cell]:
    sweep, _, label = name.rpartition("/")
    wanted = (one for key, one in newest(frames.sweeps).items() if sweep in ("", key))
    return [cell for one in wanted for cell in one.cells if cell.label == label]


def cell_key(trials: pd.DataFrame) -> pd.Series:
    """What trials of one cell have in common."""
    joined: pd.Series = trials[KNOBS].astype(str).agg("\x00".join, axis=1)
    return joined


def _recipe(trials: pd.DataFrame) -> dict[str, Any]:
    """Knobs of a cell, by the first of its trials that is on record."""
    known = trials.dropna(subset=["trial_id"])
    first = (known if len(known) else trials).iloc[0]
    return {knob: _scalar(first[knob]) for knob in KNOBS}


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in facts.items()
    }
