"""What became of the trials of a runs folder, read from the records alone. No torch."""

import json
import os
import platform
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clip_hparam.knob import near
from clip_hparam.records import LIVE, Record, read_json, trial_ids

SILENT_SECONDS = 60.0  # a live trial gives a sign of life every five


@dataclass(frozen=True)
class SweepStatus:
    """How many trials of a sweep are in each state."""

    sweep_id: str
    name: str
    created: str
    states: dict[str, int]


def state_of(record: Record) -> str:
    """State of a trial; a live one whose process is gone, or long silent elsewhere, is lost."""
    if record.result():
        return "done"
    status = record.status()
    state: str = status.get("state", "planned")
    return "lost" if state in LIVE and not _lives(status) else state


def sweeps(runs: Path) -> list[SweepStatus]:
    """Every sweep that was ever started here, oldest first."""
    manifests = [read_json(path) for path in (runs / ".sweeps").glob("*.json")]
    known = sorted((tree for tree in manifests if tree), key=lambda tree: str(tree["created"]))
    return [
        SweepStatus(tree["sweep_id"], tree["name"], tree["created"], _states(runs, tree))
        for tree in known
    ]


def find(runs: Path, prefix: str) -> Record:
    """The one trial whose id starts with `prefix`. Raises ValueError if none or several do."""
    ids = list(trial_ids(runs))
    matching = [trial_id for trial_id in ids if trial_id.startswith(prefix)]
    if len(matching) != 1:
        raise ValueError(
            f"{len(matching)} trials start with {prefix} in {runs}: {', '.join(matching[:5])}"
            if matching
            else f"no trial is called {prefix} in {runs}: {near(prefix, ids)}"
        )
    return Record(runs, matching[0])


def why(record: Record, lines: int = 20) -> dict[str, Any]:
    """State, what went wrong, the end of the log, and the command that runs the trial again."""
    recipe = record.recipe() or {}
    state = state_of(record)
    return {
        "trial_id": record.trial_id,
        "state": state,
        "label": recipe.get("label"),
        "status": record.status(),
        "failure": None if state == "done" else record.failure(),
        "log": _tail(record.folder / "log.txt", lines),
        "rerun": rerun_command(recipe.get("recipe", {})),
    }


def rerun_command(recipe: dict[str, Any]) -> str:
    """`python sweep.py` with every knob of a canonical recipe spelled out."""
    knobs = _flat(recipe)
    weights = knobs.pop("encoder.weights", None)
    knobs.pop("data.fingerprint", None)
    words = [f"{name}={_word(value)}" for name, value in knobs.items()]
    if weights == "random":
        words.append("encoder.pretrained=random")
    return " ".join(["python sweep.py", *words])


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        nested = isinstance(value, dict)
        flat |= _flat(value, f"{prefix}{name}.") if nested else {prefix + name: value}
    return flat


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _states(runs: Path, manifest: dict[str, Any]) -> dict[str, int]:
    ids = {trial for cell in manifest["cells"] for trial in cell["trials"].values()}
    return dict(Counter(state_of(Record(runs, trial_id)) for trial_id in sorted(ids)))


def _lives(status: dict[str, Any]) -> bool:
    if status.get("host") == platform.node() and "pid" in status:
        return _runs(int(status["pid"]))
    beat = datetime.fromisoformat(status["heartbeat"])
    return (datetime.now(UTC) - beat).total_seconds() < SILENT_SECONDS


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _tail(path: Path, lines: int) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        return []
