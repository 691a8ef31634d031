"""Objectives of a search: columns of a trial's record; columns of the test set are excluded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from clip_hparam.config.knob import suggest
from clip_hparam.data.dataset import SELECTION_SETS
from clip_hparam.records.metrics import (
    is_minimized,
    reported_value,
    reported_weights,
    selection_key,
)

Rows = Sequence[Mapping[str, Any]]
"""Rows of metrics.jsonl, one per epoch."""
OBJECTIVES = (
    *(f"{name}_{metric}" for name in SELECTION_SETS for metric in ("acc1", "acc5", "loss")),
    *("cost.seconds", "cost.gpu_hours", "cost.peak_memory_mb", "cost.img_per_s"),
)
DEFAULT_DIRECTIONS = {name: "minimize" if is_minimized(name) else "maximize" for name in OBJECTIVES}
"""Every objective, with its direction unless the user gives another one."""
SHIFT_PREFIX = "selection_shift_"


@dataclass(frozen=True)
class Objective:
    """Objectives and their directions, "maximize" or "minimize", in the same order."""

    objectives: tuple[str, ...]
    directions: tuple[str, ...]

    @property
    def is_multi_objective(self) -> bool:
        return len(self.objectives) > 1

    @property
    def has_curve(self) -> bool:
        """Whether the objective is measured after every epoch, as a pruner needs it."""
        return not self.is_multi_objective and not self.objectives[0].startswith(
            ("cost.", SHIFT_PREFIX)
        )

    @property
    def shift_objective(self) -> str:
        """The first objective that needs data.shift, or ""."""
        return next((name for name in self.objectives if name.startswith(SHIFT_PREFIX)), "")

    def values(self, results: Sequence[Mapping[str, Any]]) -> list[float]:
        """Return the value of each objective: the mean over the results of a point's replicates."""
        return [
            fmean(reported_value(result, name) for result in results) for name in self.objectives
        ]

    def curve(self, rows: Rows) -> dict[int, float]:
        """Return the objective by number of epochs trained.

        A value is that of the epoch that would be selected if training ended there.
        """
        name, best, curve = self.objectives[0], rows[0] if rows else {}, {}
        for row in rows:
            best = max(best, row, key=selection_key)
            curve[row["epoch"] + 1] = float(best[f"{name}.{reported_weights(best)}"])
        return curve


def parse_objective(objective: Any, direction: Any) -> Objective:
    """Return the objectives and directions, each given as a name or a list of names.

    Raises:
        ValueError: an objective that no record has, a column of the test set, an unknown direction,
            or lists of different lengths.
    """
    names = _as_strings(objective)
    for name in names:
        if name.startswith("test"):
            raise ValueError(
                f"hydra.sweeper.objective={name}: the test set is not used for selection; try"
                " selection_acc1"
            )
        if name not in DEFAULT_DIRECTIONS:
            raise ValueError(
                f"unknown hydra.sweeper.objective={name}: {suggest(name, DEFAULT_DIRECTIONS)}"
            )
    directions = (
        _as_strings(direction) if direction else [DEFAULT_DIRECTIONS[name] for name in names]
    )
    for word in directions:
        if word not in ("maximize", "minimize"):
            raise ValueError(f"hydra.sweeper.direction={word} is not one of maximize, minimize")
    if len(directions) != len(names) or len(set(names)) != len(names):
        raise ValueError(
            f"hydra.sweeper.direction has {len(directions)} and hydra.sweeper.objective"
            f" {len(names)}: give one direction for each, and each objective once"
        )
    return Objective(tuple(names), tuple(directions))


def _as_strings(value: Any) -> list[str]:
    return [str(part) for part in value] if isinstance(value, (list, tuple)) else [str(value)]
