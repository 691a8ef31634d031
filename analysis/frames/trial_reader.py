"""Read one trial's folder: a flat row, its epochs, and the problems of its files.

Metrics are read only if result.json is complete, of a known schema and of this trial, and if the
files that it seals have their recorded sha256. Any other trial keeps its status and knobs, has no
metrics, and gets a sentence in `problems`.
"""

import math
import shlex
from pathlib import Path
from typing import Any, NamedTuple

from clip_hparam.analysis.frames.epochs import complete_lines
from clip_hparam.analysis.frames.json_files import UnreadableError, parse_record_json
from clip_hparam.config.identity import with_missing_knobs
from clip_hparam.config.tree import flatten_tree
from clip_hparam.records import archive
from clip_hparam.records.metrics import as_percentage, is_percentage
from clip_hparam.records.record import Record, changed_files
from clip_hparam.records.state import STATES, TrialState

DAMAGED, UNKNOWN = "damaged", "unknown"  # states of a row that no record has
RESULT_HEAD_KEYS = ("schema", "trial_id", "metrics", "command", "sha256")
EPOCHS_FILE = "metrics.jsonl"


class TrialContents(NamedTuple):
    """Contents of a trial's folder as the frames need them."""

    row: dict[str, Any]  # column -> value; empty if the folder is no trial
    epochs: bytes  # complete lines of metrics.jsonl
    problems: list[str]


class TrialFolder:
    """Files of a trial, each read once, so that the hashed bytes are the parsed bytes."""

    def __init__(self, runs: str, trial_id: str) -> None:
        self.path, self.trial_id = f"{runs}/{trial_id}", trial_id
        self._contents: dict[str, bytes | None] = {}

    def content(self, name: str) -> bytes | None:
        """Return the content of a file; None if it does not exist."""
        if name not in self._contents:
            self._contents[name] = archive.read_bytes(self.path_to(name))
        return self._contents[name]

    def path_to(self, name: str) -> str:
        return f"{self.path}/{name}"

    def read_object(self, name: str) -> dict[str, Any]:
        """Return the JSON object in a file. Raises: UnreadableError."""
        return parse_record_json(self.path_to(name), self.content(name))

    def corrupted_files(self, sealed: dict[str, str]) -> list[str]:
        """Return the sealed files (name -> sha256) whose content has another digest."""
        return changed_files(sealed, self.content)


def read_trial(runs: Path | str, trial_id: str) -> TrialContents:
    """Read a trial: knobs by dotted name, status and, if it is done, metrics and provenance."""
    folder = TrialFolder(str(runs), trial_id)
    try:
        row = _read_knobs(folder)
    except UnreadableError as error:
        return TrialContents({}, b"", [str(error)])
    try:
        facts, sealed = _read_facts(folder)
    except UnreadableError as error:
        return TrialContents({**row, "status": DAMAGED}, b"", [str(error)])
    epochs, problem = folder.content(EPOCHS_FILE) or b"", ""
    if EPOCHS_FILE not in sealed:  # a sealed file is complete
        epochs, problem = complete_lines(folder.path_to(EPOCHS_FILE), epochs)
    return TrialContents({**row, **facts}, epochs, [problem] if problem else [])


def _read_knobs(folder: TrialFolder) -> dict[str, Any]:
    tree = folder.read_object("recipe.json")
    if tree.get("trial_id") != folder.trial_id or not isinstance(tree.get("recipe"), dict):
        name = folder.path_to("recipe.json")
        raise UnreadableError(f"{name} is not the recipe of trial {folder.trial_id}")
    head = {"trial_id": folder.trial_id, "label": tree.get("label", "")}
    return {**head, **flatten_tree(with_missing_knobs(tree["recipe"]))}


def _read_facts(folder: TrialFolder) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the columns other than the knobs, and the sealed files with their sha256.

    A done trial has metrics, cost and provenance; any other trial only its failure, nothing sealed.
    """
    path = folder.path_to("result.json")
    if folder.content("result.json") is None:
        return _read_unfinished(folder), {}
    result = folder.read_object("result.json")
    if result.get("trial_id") != folder.trial_id:
        raise UnreadableError(f"{path} is not the result of trial {folder.trial_id}")
    sealed = result.get("sha256") or {}
    if changed := folder.corrupted_files(sealed):
        raise UnreadableError(f"{folder.path}: {', '.join(changed)} changed since it was sealed")
    facts = flatten_tree(
        {name: value for name, value in result.items() if name not in RESULT_HEAD_KEYS}
    )
    metrics = _validated_metrics(path, result.get("metrics"))
    command = shlex.join(map(str, result.get("command") or []))
    return {"status": TrialState.DONE.value, **facts, **metrics, "command": command}, sealed


def _read_unfinished(folder: TrialFolder) -> dict[str, Any]:
    record = Record(Path(folder.path).parent, folder.trial_id)
    state = record.status().get("state")
    if state == TrialState.DONE:
        path = folder.path_to("result.json")
        raise UnreadableError(f"{path} is missing, though status.json says done")
    known = state if state in STATES else UNKNOWN
    return {"status": known, **flatten_tree({"failure": record.failure() or {}})}


def _validated_metrics(path: str, metrics: Any) -> dict[str, float]:
    if not isinstance(metrics, dict):
        raise UnreadableError(f"{path} holds no metrics")
    return {
        name: value
        if type(value) is float and 0 <= value <= 100
        else _validated_metric(path, name, value)
        for name, value in metrics.items()
    }


def _validated_metric(path: str, name: str, value: Any) -> float:
    """Return the number, NaN for null. Raises: UnreadableError for an accuracy outside 0-100."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UnreadableError(f"{path}: {name}={value!r} is not a number")
    if is_percentage(name):
        percentage = as_percentage(value)
        if percentage is None:
            raise UnreadableError(f"{path}: {name}={value} is not a percentage")
        return percentage
    return float(value) if math.isfinite(value) else math.nan
