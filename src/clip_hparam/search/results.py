"""Results of the points of a search, from its manifest and records; imports no Optuna."""

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
"""States of points that ended without an error."""
FAILED_STATES = (TrialState.FAILED, TrialState.LOST)
"""States of points that are not run again. A point in any other state is unfinished."""


@dataclass(frozen=True)
class PointResult:
    """State and results of a point.

    trials: trial ids by seed.
    state: of the first trial that is not done, else "done"; "impossible" if no recipe allows it.
    values: of the objectives; None unless all trials are done.
    curve: objective by epochs trained, of the first replicate; empty for objectives without one.
    epochs, seconds: sums over all trials, in any state.
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
    """Return the result of each cell of the manifest, in order."""
    return [_point_result(search, cell) for cell in cells]


def best_points(points: Sequence[PointResult], goal: Objective) -> list[PointResult]:
    """Return the points that are done, best first; for several objectives the Pareto front."""
    signs = [1 if direction == "maximize" else -1 for direction in goal.directions]
    gains = {
        point.number: tuple(sign * value for sign, value in zip(signs, point.values, strict=True))
        for point in points
        if point.values is not None
    }
    done = [point for point in points if point.number in gains]
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
