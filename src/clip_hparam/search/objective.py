"""What a search makes large or small: columns of a trial's record, never of the test set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from clip_hparam.config.knob import suggest
from clip_hparam.data.dataset import SELECTION_SETS
from clip_hparam.records.metrics import reported_value, reported_weights, selection_key

Rows = Sequence[Mapping[str, Any]]
DEFAULT_DIRECTIONS = {
    **{
        f"{eval_set}_{metric}": direction
        for eval_set in SELECTION_SETS
        for metric, direction in (("acc1", "maximize"), ("acc5", "maximize"), ("loss", "minimize"))
    },
    "cost.seconds": "minimize",
    "cost.gpu_hours": "minimize",
    "cost.peak_memory_mb": "minimize",
    "cost.img_per_s": "maximize",
}
"""An objective and the direction it has unless another is given."""
SHIFT_PREFIX = "selection_shift_"


@dataclass(frozen=True)
class Objective:
    """Objectives and their directions, "maximize" or "minimize", in order."""

    objectives: tuple[str, ...]
    directions: tuple[str, ...]

    @property
    def is_multi_objective(self) -> bool:
        return len(self.objectives) > 1

    @property
    def has_curve(self) -> bool:
        """Whether an epoch says something about the end: what a pruner needs."""
        return not self.is_multi_objective and not self.objectives[0].startswith(
            ("cost.", SHIFT_PREFIX)
        )

    @property
    def shift_objective(self) -> str:
        """An objective that needs data.shift, or nothing."""
        return next((name for name in self.objectives if name.startswith(SHIFT_PREFIX)), "")

    def values(self, results: Sequence[Mapping[str, Any]]) -> list[float]:
        """Of a point: the mean over its replicates' sealed results."""
        return [
            fmean(reported_value(result, name) for result in results) for name in self.objectives
        ]

    def curve(self, rows: Rows) -> dict[int, float]:
        """Epochs trained -> the objective of the epoch that would be selected by then."""
        name, best, reached = self.objectives[0], rows[0] if rows else {}, {}
        for row in rows:
            best = max(best, row, key=selection_key)
            reached[row["epoch"] + 1] = float(best[f"{name}.{reported_weights(best)}"])
        return reached


def parse_objective(objective: Any, direction: Any) -> Objective:
    """One of each, or a list. Raises ValueError for what no record has, and for the test set."""
    names = _as_strings(objective)
    for name in names:
        if name.startswith("test"):
            raise ValueError(
                f"hydra.sweeper.objective={name}: the test set selects nothing; try selection_acc1"
            )
        if name not in DEFAULT_DIRECTIONS:
            raise ValueError(
                f"unknown hydra.sweeper.objective={name}: {suggest(name, DEFAULT_DIRECTIONS)}"
            )
    directions = (
        _as_strings(direction) if direction else [DEFAULT_DIRECTIONS[name] for name in names]
    )
    for one in directions:
        if one not in ("maximize", "minimize"):
            raise ValueError(f"hydra.sweeper.direction={one} is not one of maximize, minimize")
    if len(directions) != len(names) or len(set(names)) != len(names):
        raise ValueError(
            f"hydra.sweeper.direction has {len(directions)} and hydra.sweeper.objective"
            f" {len(names)}: give one direction for each, and each objective once"
        )
    return Objective(tuple(names), tuple(directions))


def _as_strings(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)]
