"""What a search makes large or small: columns of a trial's record, never of the test set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from clip_hparam.config.knob import near

Rows = Sequence[Mapping[str, Any]]
NATURAL = {
    "selection_acc1": "maximize",
    "selection_acc5": "maximize",
    "selection_loss": "minimize",
    "selection_shift_acc1": "maximize",
    "selection_shift_acc5": "maximize",
    "selection_shift_loss": "minimize",
    "cost.seconds": "minimize",
    "cost.gpu_hours": "minimize",
    "cost.peak_memory_mb": "minimize",
    "cost.img_per_s": "maximize",
}
"""An objective and the direction it has unless another is given."""
SHIFT = "selection_shift_"


@dataclass(frozen=True)
class Goal:
    """Objectives and their directions, "maximize" or "minimize", in order."""

    objectives: tuple[str, ...]
    directions: tuple[str, ...]

    @property
    def several(self) -> bool:
        return len(self.objectives) > 1

    @property
    def has_curve(self) -> bool:
        """Whether an epoch says something about the end: what a pruner needs."""
        return not self.several and not self.objectives[0].startswith(("cost.", SHIFT))

    @property
    def of_shift(self) -> str:
        """An objective that needs data.shift, or nothing."""
        return next((name for name in self.objectives if name.startswith(SHIFT)), "")

    def values(self, results: Sequence[Mapping[str, Any]]) -> list[float]:
        """Of a point: the mean over its replicates' sealed results."""
        return [fmean(_value(result, name) for result in results) for name in self.objectives]

    def curve(self, rows: Rows) -> dict[int, float]:
        """Epochs trained -> the objective of the epoch that would be selected by then."""
        name, best, reached = self.objectives[0], rows[0] if rows else {}, {}
        for row in rows:
            best = max(best, row, key=_merit)
            reached[row["epoch"] + 1] = float(best[f"{name}.{_weights(best)}"])
        return reached


def goal(objective: Any, direction: Any) -> Goal:
    """One of each, or a list. Raises ValueError for what no record has, and for the test set."""
    names = _listed(objective)
    for name in names:
        if name.startswith("test"):
            raise ValueError(
                f"hydra.sweeper.objective={name}: the test set selects nothing; try selection_acc1"
            )
        if name not in NATURAL:
            raise ValueError(f"unknown hydra.sweeper.objective={name}: {near(name, NATURAL)}")
    directions = _listed(direction) if direction else [NATURAL[name] for name in names]
    for one in directions:
        if one not in ("maximize", "minimize"):
            raise ValueError(f"hydra.sweeper.direction={one} is not one of maximize, minimize")
    if len(directions) != len(names) or len(set(names)) != len(names):
        raise ValueError(
            f"hydra.sweeper.direction has {len(directions)} and hydra.sweeper.objective"
            f" {len(names)}: give one direction for each, and each objective once"
        )
    return Goal(tuple(names), tuple(directions))


def _value(result: Mapping[str, Any], name: str) -> float:
    if name.startswith("cost."):
        return float(result["cost"][name.removeprefix("cost.")])
    return float(result["metrics"][f"{name}.{result['selected_weights']}.selected"])


def _weights(row: Mapping[str, Any]) -> str:
    return "ema" if "selection_acc1.ema" in row else "raw"


def _merit(row: Mapping[str, Any]) -> tuple[float, float]:
    """As `progress.Progress.add` selects."""
    weights = _weights(row)
    return row[f"selection_acc1.{weights}"], -row[f"selection_loss.{weights}"]


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)]
