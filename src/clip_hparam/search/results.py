"""What became of the points of a search, from its manifest and the records alone. No Optuna."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clip_hparam.records.record import Record
from clip_hparam.search.objective import Goal
from clip_hparam.search.spec import Search

IMPOSSIBLE = "impossible"
ENDED = ("done", "pruned", "diverged", IMPOSSIBLE)
"""States of points about which nothing went wrong."""
FAILED = ("failed", "lost")
"""States of points that nobody tries again; any other state is unfinished."""


@dataclass(frozen=True)
class Found:
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


def points(search: Search, cells: Iterable[Mapping[str, Any]]) -> list[Found]:
    """Of cells of the search's manifest, in order."""
    return [_found(search, cell) for cell in cells]


def best(found: Sequence[Found], goal: Goal) -> list[Found]:
    """The points that are done, the best first; of several objectives the Pareto front."""
    signs = [1 if direction == "maximize" else -1 for direction in goal.directions]
    gains = {
        point.number: tuple(sign * value for sign, value in zip(signs, point.values, strict=True))
        for point in found
        if point.values is not None
    }
    done = [point for point in found if point.number in gains]
    if goal.several:
        done = [point for point in done if not _dominated(gains[point.number], gains.values())]
    return sorted(done, key=lambda point: gains[point.number], reverse=True)


def seconds_of(record: Record) -> float:
    """What a trial has cost, ended or not."""
    result = record.result()
    if result:
        return float(result["cost"]["seconds"])
    return float(sum(row["seconds"] for row in record.rows()))


def _found(search: Search, cell: Mapping[str, Any]) -> Found:
    records = [Record(search.runs, name) for name in cell["trials"].values()]
    rows = [record.rows() for record in records]
    sealed = [record.sound() for record in records]
    states = [_unsealed(record) for record, one in zip(records, sealed, strict=True) if one is None]
    state = (states[0] if states else "done") if records else IMPOSSIBLE
    results = [result for result in sealed if result is not None]
    return Found(
        number=cell["number"],
        label=cell["label"],
        overrides=tuple(cell["overrides"]),
        trials=cell["trials"],
        state=state,
        values=tuple(search.goal.values(results)) if state == "done" else None,
        curve=search.goal.curve(rows[0]) if rows and search.goal.has_curve else {},
        epochs=sum(map(len, rows)),
        seconds=sum(map(seconds_of, records)),
    )


def _unsealed(record: Record) -> str:
    """State of a trial without a result; "done" is said before the result is sealed."""
    state: str = record.status().get("state", "planned")
    return "running" if state == "done" else state


def _dominated(one: tuple[float, ...], others: Iterable[tuple[float, ...]]) -> bool:
    return any(
        other != one and all(b >= a for a, b in zip(one, other, strict=True)) for other in others
    )
