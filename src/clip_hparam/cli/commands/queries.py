"""What became of the trials of a runs folder, read from the records alone. No torch."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import flatten_tree, with_missing_knobs
from clip_hparam.launch.slurm import tracker
from clip_hparam.records.atomic import read_json
from clip_hparam.records.paths import LOG_FILE, manifest_paths
from clip_hparam.records.record import Record, trial_ids
from clip_hparam.records.state import TrialState, trial_state


@dataclass(frozen=True)
class SweepStatus:
    """How many trials of a sweep are in each state."""

    sweep_id: str
    name: str
    created: str
    states: dict[str, int]


def sweep_statuses(runs: Path, wanted: str | None = None) -> list[SweepStatus]:
    """Every sweep that was ever started here, or those of a name or id, oldest first.

    Raises ValueError if none has the name.
    """
    known = load_manifests(runs, wanted)
    ids = {tree["sweep_id"]: planned_trial_ids(tree) for tree in known}
    states = trial_states(runs, {trial for some in ids.values() for trial in some})
    return [
        SweepStatus(
            tree["sweep_id"],
            tree["name"],
            tree["created"],
            dict(Counter(states[trial] for trial in ids[tree["sweep_id"]])),
        )
        for tree in known
    ]


def trial_states(runs: Path, ids: Iterable[str]) -> dict[str, str]:
    """Return the state of each trial; Slurm is asked once for all trials submitted to it."""
    submitted = tracker.slurm_states(runs)
    return {name: submitted.get(name) or trial_state(Record(runs, name)) for name in ids}


def load_manifests(runs: Path, wanted: str | None = None) -> list[dict[str, Any]]:
    """What was planned here, oldest first, all of it or what has a name or an id.

    Raises ValueError if none has it.
    """
    read = (read_json(path) for path in manifest_paths(runs))
    known = sorted(filter(None, read), key=lambda tree: str(tree.get("created")))
    if wanted is None:
        return known
    found = [tree for tree in known if wanted in (tree["name"], tree["sweep_id"])]
    if not found:
        names = {tree["name"] for tree in known}
        raise ValueError(f"no sweep is called {wanted} in {runs}: {suggest(wanted, names)}")
    return found


def load_manifest(runs: Path, wanted: str | None = None) -> dict[str, Any]:
    """The newest. Raises ValueError if there is none."""
    known = load_manifests(runs, wanted)
    if not known:
        raise ValueError(f"no sweep is on record in {runs}: type python sweep.py -m sweeps=ladder")
    return known[-1]


def planned_trial_ids(manifest: dict[str, Any]) -> list[str]:
    """Each once, in the order of the plan."""
    named = (trial for cell in manifest["cells"] for trial in cell["trials"].values())
    return list(dict.fromkeys(named))


def find_records(runs: Path, name: str) -> list[Record]:
    """The trials of a cell, [sweep/]label, that are not done, or the one trial by its id.

    Raises ValueError if there is no such cell or trial.
    """
    sweep, _, label = name.rpartition("/")
    named = [tree for tree in load_manifests(runs) if sweep in ("", tree["name"])]
    cells = [cell for tree in named for cell in tree["cells"] if cell["label"] == label]
    if not cells or not label:
        return [find_record(runs, name)]
    records = [Record(runs, trial) for trial in cells[-1]["trials"].values()]
    return [record for record in records if not record.is_done()] or records[:1]


def find_record(runs: Path, prefix: str) -> Record:
    """The one trial whose id starts with `prefix`. Raises ValueError if none or several do."""
    ids = list(trial_ids(runs))
    matching = [trial_id for trial_id in ids if trial_id.startswith(prefix)]
    if len(matching) != 1:
        raise ValueError(
            f"{len(matching)} trials start with {prefix} in {runs}: {', '.join(matching[:5])}"
            if matching
            else f"no trial is called {prefix} in {runs}: {suggest(prefix, ids)}"
        )
    return Record(runs, matching[0])


def explain_trial(record: Record, lines: int = 20) -> dict[str, Any]:
    """State, what went wrong, the end of the log, and the command that runs the trial again."""
    recipe = record.recipe() or {}
    state = trial_states(record.folder.parent, [record.trial_id])[record.trial_id]
    return {
        "trial_id": record.trial_id,
        "state": state,
        "label": recipe.get("label"),
        "status": record.status(),
        "failure": None if state == TrialState.DONE else record.failure(),
        "log": _last_log_lines(record, lines),
        "rerun": rerun_command(with_missing_knobs(recipe.get("recipe", {}))),
    }


def rerun_command(recipe: dict[str, Any]) -> str:
    """`python sweep.py` with every knob of a canonical recipe spelled out."""
    knobs = flatten_tree(recipe)
    weights = knobs.pop("encoder.weights", None)
    knobs.pop("data.fingerprint", None)
    words = [f"{name}={_format_value(value)}" for name, value in knobs.items()]
    if weights == "random":
        words.append("encoder.pretrained=random")
    return " ".join(["python sweep.py", *words])


def _format_value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _last_log_lines(record: Record, lines: int) -> list[str]:
    printed = record.read(LOG_FILE) or b""
    return printed.decode(errors="replace").splitlines()[-lines:]
