"""What became of the points of a search, from its manifest and the records alone. No Optuna."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clip_hparam.records.metrics import seconds_spent
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState, unsealed_state
from clip_hparam.search.objective import Objective
from clip_hparam.search.spec import SearchSpec

IMPOSSIBLE = "impossible"
ENDED_NORMALLY = (TrialState.DONE, TrialState.PRUNED, TrialState.DIVERGED, IMPOSSIBLE)
"""States of points about which nothing went wrong."""
FAILED_STATES = (TrialState.FAILED, TrialState.LOST)
"""States of points that nobody tries again; any other state is unfinished."""


@dataclass(frozen=True)
class PointResult:
    """A point: its trials by seed, where they stand, and the objectives where it is done.

    state: of the first trial that is not done, else "done"; "impossible" if no recipe allows it.
    curve: epochs trained -> objective, of the first replicate; empty where that has none.
    epochs: trained over all replicates, whatever became of them.
    """

    number: int
    label: str
    overrides: tuple[str, ...]
    trials: Mapping[str, str]
    state: str
    values: tuple[float, ...] | None
    curve: Mapping[int, float]
    epochs: int
    seconds: float


def point_results(search: SearchSpec, cells: Iterable[Mapping[str, Any]]) -> list[PointResult]:
    """Of cells of the search's manifest, in order."""
    return [_point_result(search, cell) for cell in cells]


def best_points(found: Sequence[PointResult], goal: Objective) -> list[PointResult]:
    """The points that are done, the best first; of several objectives the Pareto front."""
    signs = [1 if direction == "maximize" else -1 for direction in goal.directions]
    gains = {
        point.number: tuple(sign * value for sign, value in zip(signs, point.values, strict=True))
        for point in found
        if point.values is not None
    }
    done = [point for point in found if point.number in gains]
    if goal.is_multi_objective:
        done = [point for point in done if not _is_dominated(gains[point.number], gains.values())]
    return sorted(done, key=lambda point: gains[point.number], reverse=True)


def _point_result(search: SearchSpec, cell: Mapping[str, Any]) -> PointResult:
    records = [Record(search.runs, name) for name in cell["trials"].values()]
    rows = [record.rows() for record in records]
    sealed = [record.verified_result() for record in records]
    states = [
        _state_without_result(record)
        for record, one in zip(records, sealed, strict=True)
        if one is None
    ]
    state = (states[0] if states else TrialState.DONE) if records else IMPOSSIBLE
    results = [result for result in sealed if result is not None]
    return PointResult(
        number=cell["number"],
        label=cell["label"],
        overrides=tuple(cell["overrides"]),
        trials=cell["trials"],
        state=state,
        values=tuple(search.goal.values(results)) if state == TrialState.DONE else None,
        curve=search.goal.curve(rows[0]) if rows and search.goal.has_curve else {},
        epochs=sum(map(len, rows)),
        seconds=sum(map(seconds_spent, records)),
    )


def _state_without_result(record: Record) -> TrialState:
    """Return the state of a trial without a result; status "done" precedes the result file."""
    state = unsealed_state(record.status(), alive=True)
    return TrialState.RUNNING if state is TrialState.DONE else state


def _is_dominated(one: tuple[float, ...], others: Iterable[tuple[float, ...]]) -> bool:
    return any(
        other != one and all(b >= a for a, b in zip(one, other, strict=True)) for other in others
    )
