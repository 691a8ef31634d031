"""Queries over manifests and records: states of sweeps, trials by name, and why a trial failed."""

import json
import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clip_hparam.cli.commands.reasons import explain_failure, list_reasons
from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import flatten_tree, with_missing_knobs
from clip_hparam.launch.slurm import tracker
from clip_hparam.records.manifest import (
    SweepManifest,
    find_cells,
    find_trial_id,
    read_manifests,
)
from clip_hparam.records.paths import LOG_FILE
from clip_hparam.records.record import Record, trial_ids
from clip_hparam.records.state import trial_state


@dataclass(frozen=True)
class SweepStatus:
    """The number of trials of a sweep by state, and why trials are not done, a line per kind."""

    sweep_id: str
    name: str
    created: str
    states: dict[str, int]
    reasons: list[str]


def sweep_statuses(runs: Path, wanted: str | None = None) -> list[SweepStatus]:
    """Return the status of all sweeps, or of those with a name or id, oldest first.

    Raises ValueError if no sweep has that name or id.
    """
    manifests = find_manifests(runs, wanted)
    states = trial_states(runs, {name for manifest in manifests for name in manifest.trial_ids})
    return [
        SweepStatus(
            manifest.sweep_id,
            manifest.name,
            manifest.created,
            dict(Counter(states[name] for name in manifest.trial_ids)),
            list_reasons(runs, manifest, states),
        )
        for manifest in manifests
    ]


def trial_states(runs: Path, ids: Iterable[str]) -> dict[str, str]:
    """Return the state of each trial; Slurm is asked once for all trials submitted to it."""
    submitted = tracker.slurm_states(runs)
    return {name: submitted.get(name) or trial_state(Record(runs, name)) for name in ids}


def find_manifests(runs: Path, wanted: str | None = None) -> list[SweepManifest]:
    """Return all manifests, or those with the wanted name or id, oldest first.

    Raises ValueError if no sweep has that name or id.
    """
    manifests = read_manifests(runs)
    if wanted is None:
        return manifests
    found = [manifest for manifest in manifests if wanted in (manifest.name, manifest.sweep_id)]
    if not found:
        names = {manifest.name for manifest in manifests}
        raise ValueError(f"no sweep is called {wanted} in {runs}: {suggest(wanted, names)}")
    return found


def newest_manifest(runs: Path, wanted: str | None = None) -> SweepManifest:
    """Return the newest manifest, or the newest of a name or id; ValueError if there is none."""
    manifests = find_manifests(runs, wanted)
    if not manifests:
        raise ValueError(f"no sweep is on record in {runs}: type python sweep.py -m sweeps=ladder")
    return manifests[-1]


def find_records(runs: Path, name: str) -> list[Record]:
    """Return the records that a cell, [SWEEP/]LABEL, or the start of a trial id names.

    Of a cell these are the trials that are not done, or the first one if all are done. Raises
    ValueError if there is no such cell or trial, or several.
    """
    cells = find_cells(read_manifests(runs), name)
    if not cells:
        return [_find_record(runs, name)]
    records = [Record(runs, trial) for trial in cells[-1][1].trials.values()]
    return [record for record in records if not record.is_done()] or records[:1]


def _find_record(runs: Path, prefix: str) -> Record:
    ids = list(trial_ids(runs))
    trial_id = find_trial_id(ids, prefix)
    if trial_id is None:  # a job may end before its trial has a recipe.json
        planned = {name for manifest in read_manifests(runs) for name in manifest.trial_ids}
        trial_id = find_trial_id(sorted(planned), prefix)
    if trial_id is None:
        raise ValueError(f"no trial is called {prefix} in {runs}: {suggest(prefix, ids)}")
    return Record(runs, trial_id)


def explain_trial(record: Record, lines: int = 20) -> dict[str, Any]:
    """Return the state of a trial, its failure, its last log lines and the command to rerun it."""
    recipe = record.recipe() or {}
    state = trial_states(record.folder.parent, [record.trial_id])[record.trial_id]
    return {
        "trial_id": record.trial_id,
        "state": state,
        "label": recipe.get("label"),
        "status": record.status(),
        "failure": explain_failure(record, state),
        "log": _last_log_lines(record, lines),
        "rerun": rerun_command(with_missing_knobs(recipe.get("recipe", {}))),
    }


def rerun_command(recipe: dict[str, Any]) -> str:
    """Return `python sweep.py` with an override for every knob of a canonical recipe."""
    knobs = flatten_tree(recipe)
    weights = knobs.pop("encoder.weights", None)
    knobs.pop("data.fingerprint", None)
    overrides = [f"{name}={_format_value(value)}" for name, value in knobs.items()]
    if weights == "random":
        overrides.append("encoder.pretrained=random")
    return shlex.join(["python", "sweep.py", *overrides])


def _format_value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _last_log_lines(record: Record, lines: int) -> list[str]:
    log = record.read(LOG_FILE) or b""
    return log.decode(errors="replace").splitlines()[-lines:]
