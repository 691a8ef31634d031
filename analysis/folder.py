"""One trial's folder -> one flat row, its epochs, and what is wrong with it.

A number enters only from a trial whose result.json is whole, of this schema, of this trial, and
whose sealed siblings are those that it was written with. Everything else keeps its status and its
knobs, has no metrics, and is named in the problems.
"""

import math
import shlex
from pathlib import Path
from typing import Any, NamedTuple

from analysis.files import UnreadableError, flatten, read_ours
from clip_hparam.records import STATES, Record

DAMAGED, UNKNOWN = "damaged", "unknown"
HEAD = ("schema", "trial_id", "metrics", "command", "sha256")


class Trial(NamedTuple):
    """What the frame takes from a folder; `row` is empty if the folder is not a trial of ours."""

    row: dict[str, Any]
    epochs: list[dict[str, Any]]
    problems: list[str]


def read_trial(folder: Path) -> Trial:
    """Knobs under dotted names, status, and, of a sound and done trial, metrics and provenance."""
    record = Record(folder.parent, folder.name)
    try:
        row = _knobs(folder)
    except UnreadableError as error:
        return Trial({}, [], [str(error)])
    problems: list[str] = []
    facts: dict[str, Any] = {"status": _state(record)}
    try:
        facts |= _result(record)
    except UnreadableError as error:
        problems.append(str(error))
        facts["status"] = DAMAGED
    epochs = [] if problems else [row for row in record.rows() if isinstance(row, dict)]
    return Trial({**row, **facts}, [{"trial_id": folder.name, **row} for row in epochs], problems)


def _knobs(folder: Path) -> dict[str, Any]:
    tree = read_ours(folder / "recipe.json")
    if tree.get("trial_id") != folder.name or not isinstance(tree.get("recipe"), dict):
        raise UnreadableError(f"{folder / 'recipe.json'} is not the recipe of trial {folder.name}")
    head = {"trial_id": folder.name, "label": tree.get("label", ""), "folder": str(folder)}
    return {**head, **flatten(tree["recipe"])}


def _state(record: Record) -> str:
    state = record.status().get("state")
    return state if state in STATES else UNKNOWN


def _result(record: Record) -> dict[str, Any]:
    """Of a done trial its metrics, cost and provenance; of another its failure, if it has one."""
    path = record.folder / "result.json"
    if not path.exists():
        if _state(record) == "done":
            raise UnreadableError(f"{path} is missing, though status.json says done")
        return flatten({"failure": record.failure() or {}})
    result = read_ours(path)
    if result.get("trial_id") != record.trial_id:
        raise UnreadableError(f"{path} is not the result of trial {record.trial_id}")
    if damaged := record.damage():
        raise UnreadableError(f"{record.folder}: {', '.join(damaged)} changed since it was sealed")
    facts = flatten({name: value for name, value in result.items() if name not in HEAD})
    command = shlex.join(map(str, result.get("command") or []))
    return {"status": "done", **facts, **_metrics(path, result.get("metrics")), "command": command}


def _metrics(path: Path, metrics: Any) -> dict[str, float]:
    if not isinstance(metrics, dict):
        raise UnreadableError(f"{path} holds no metrics")
    return {name: _metric(path, name, value) for name, value in metrics.items()}


def _metric(path: Path, name: str, value: Any) -> float:
    """The number, NaN for null. Accuracies are percentages."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UnreadableError(f"{path}: {name}={value!r} is not a number")
    if "_acc" in name and not (math.isnan(value) or 0 <= value <= 100):
        raise UnreadableError(f"{path}: {name}={value} is not a percentage")
    return float(value) if math.isfinite(value) else math.nan
