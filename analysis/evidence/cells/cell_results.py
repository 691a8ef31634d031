"""The results of a sweep's cells as a terminal shows them, also while the sweep runs.

`cell_evidence` has the same numbers and many more; it reads the records of a whole runs folder.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.ablations import ablation_for_sweep
from clip_hparam.analysis.evidence.selection import best_index
from clip_hparam.analysis.stats.intervals import (
    Estimate,
    estimate,
    paired_differences,
    raced_estimate,
)
from clip_hparam.design.racing import Race

NO_ESTIMATE = Estimate(math.nan, math.nan, math.nan, math.nan, 0)


class SeedResults(NamedTuple):
    """Reported accuracies of the done trials of a cell by seed, in percent.

    asked: number of planned trials. ended: whether a trial has ended without a result, so that a
    mean over the others would be biased.
    """

    label: str
    asked: int
    test: Mapping[int, float]
    selection: Mapping[int, float]
    ended: bool = False

    @property
    def complete(self) -> bool:
        return 0 < self.asked == len(self.test)

    @property
    def usable(self) -> bool:
        """Whether the mean over the done trials represents the cell."""
        return bool(self.test) and not self.ended


class CellResult(NamedTuple):
    """A row of the table: means over the done seeds, and the paired difference.

    delta: test accuracy less that of the cell `against`, over the seeds that both have; "" is none.
    """

    label: str
    asked: int
    done: int
    selection: float
    test: Estimate
    delta: Estimate
    against: str
    selected: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the row as a JSON object; a missing number is None."""
        return {
            "label": self.label,
            "asked": self.asked,
            "done": self.done,
            "selected": self.selected,
            "selection_acc1": _number(self.selection),
            **_columns("test_acc1", self.test),
            "against": self.against,
            **_columns("delta", self.delta),
        }


def reference_of(name: str, kind: str) -> Literal["previous", "first"]:
    """Return the cell that the cells of a sweep are compared with, as in its table."""
    return ablation_for_sweep(name, kind).against


def cell_results(
    cells: Sequence[SeedResults],
    against: Literal["previous", "first"],
    race: Race | None = None,
) -> list[CellResult]:
    """Return a row per cell in the given order.

    The selected cell has the highest mean on the selection set, of those with all of their trials.
    """
    scores = [_mean(cell.selection) if cell.complete else math.nan for cell in cells]
    selected = best_index(scores)
    tests = [pd.Series(cell.test, dtype=float) for cell in cells]
    rows = []
    for number, cell in enumerate(cells):
        other = None if number == 0 else number - 1 if against == "previous" else 0
        delta = NO_ESTIMATE
        if other is not None and cell.usable and cells[other].usable:
            differences = paired_differences(tests[number], tests[other])
            delta = raced_estimate(differences, race) if race else estimate(differences)
        rows.append(
            CellResult(
                cell.label,
                cell.asked,
                len(cell.test),
                _mean(cell.selection) if cell.usable else math.nan,
                estimate(list(cell.test.values())) if cell.usable else NO_ESTIMATE,
                delta,
                "" if other is None else cells[other].label,
                number == selected,
            )
        )
    return rows


def _mean(values: Mapping[int, float]) -> float:
    return sum(values.values()) / len(values) if values else math.nan


def _columns(name: str, value: Estimate) -> dict[str, Any]:
    ends = {f"{name}_low": _number(value.low), f"{name}_high": _number(value.high)}
    return {name: _number(value.mean), **ends, f"{name}_n": value.n}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
