"""Find sweeps, cells and trials by the names that users type, and the states of trials."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from clip_hparam.config.knob import close_names
from clip_hparam.config.text.override_words import sweep_command
from clip_hparam.launch.slurm import job_poller
from clip_hparam.launch.slurm.job_array import list_job_arrays
from clip_hparam.records.manifests.lookup import (
    ambiguity_note,
    find_cells,
    find_sweeps,
    find_trial_id,
    name_in_older_sweep,
)
from clip_hparam.records.manifests.manifest import SweepManifest, read_manifests
from clip_hparam.records.paths import command_line
from clip_hparam.records.record import Record, trial_ids
from clip_hparam.records.state import TrialState, trial_state

JOB_ID = re.compile(r"\d+_\d+")
MIN_ID_LENGTH = 6  # characters of a trial id that no name of a sweep is taken for


def trial_states(runs: Path, ids: Iterable[str]) -> dict[str, TrialState]:
    """Return the state of each trial; Slurm is queried once for all trials submitted to it."""
    submitted = job_poller.slurm_states(runs)
    return {name: submitted.get(name) or trial_state(Record(runs, name)) for name in ids}


def find_manifests(runs: Path, wanted: str | None = None) -> list[SweepManifest]:
    """Return all manifests, or those that a name, an id or the start of one names, oldest first.

    Raises: ValueError if no sweep has that name or id, or several ids have that start.
    """
    manifests = read_manifests(runs)
    if wanted is None:
        return manifests
    found = find_sweeps(manifests, wanted)
    if not found:
        raise ValueError(_no_such_sweep(runs, wanted, manifests))
    return found


def _no_such_sweep(runs: Path, wanted: str, manifests: Iterable[SweepManifest]) -> str:
    """Return the sentence about a name that no sweep has, but perhaps a trial."""
    trial_id = find_trial_id(trial_ids(runs), wanted) if len(wanted) >= MIN_ID_LENGTH else None
    if trial_id:
        why = command_line("why", trial_id, runs=runs)
        return f"{wanted} is a trial, not a sweep: {why} prints the command that runs it again"
    hint = suggest_name(wanted, {manifest.name for manifest in manifests}, runs)
    return f"no sweep is called {wanted} in {runs}: {hint}"


def choose_manifest(runs: Path, wanted: str | None = None) -> SweepManifest:
    """Return the newest manifest, or the newest of a name or id; ValueError if there is none.

    Where several sweeps have the name, print to stderr which of them is used.
    """
    manifests = find_manifests(runs, wanted)
    if not manifests:
        raise ValueError(no_sweep_message(runs))
    if wanted is not None:
        print_ambiguity(manifests, wanted)
    return manifests[-1]


def print_ambiguity(manifests: Iterable[SweepManifest], *names: str) -> None:
    """Print to stderr which sweep is used where SWEEP or SWEEP/LABEL names several."""
    manifests = list(manifests)
    for name in dict.fromkeys(name.partition("/")[0] for name in names):
        if note := ambiguity_note(manifests, name):
            print(note, file=sys.stderr)


def no_sweep_message(runs: Path) -> str:
    """Return the sentence about a runs folder without sweeps."""
    return f"no sweep is on record in {runs}: type {_first_sweep(runs)}"


def _first_sweep(runs: Path) -> str:
    """Return a command that runs a sweep into an empty runs folder."""
    return sweep_command("-m", "sweeps=ladder", runs=runs)


def suggest_name(wanted: str, known: Iterable[str], runs: Path) -> str:
    """Return the end of an error sentence: similar names, else the command that lists all."""
    names = sorted(known)
    if not names:
        return f"no sweep is on record, type {_first_sweep(runs)}"
    if close := close_names(wanted, names):
        return f"did you mean {' or '.join(close)}?"
    return f"{command_line('status', runs=runs)} lists them"


def find_records(runs: Path, name: str) -> list[Record]:
    """Return the records that a cell, [SWEEP/]LABEL, or the start of a trial id names.

    For a cell: its trials that are not done, or the first trial if all are done. Where an older
    sweep of the same name has that cell too, print to stderr which sweep is used. Raises
    ValueError if there is no such cell or trial, or several.
    """
    records = find_trials(runs, name)
    return [record for record in records if not record.is_done()] or records[:1]


def find_trials(runs: Path, name: str) -> list[Record]:
    """Return the records of all trials of a cell, [SWEEP/]LABEL, or of the start of a trial id.

    Where an older sweep of the same name has that cell too, print to stderr which sweep is used.
    Raises: ValueError if there is no such cell or trial, or several.
    """
    manifests = read_manifests(runs)
    cells = find_cells(manifests, name)
    if not cells:
        return _trials_of_job(runs, name) or [find_record(runs, name)]
    if "/" not in name:
        with_cell = [sweep for sweep in manifests if name in _labels(sweep)]
        print_ambiguity(with_cell, *(sweep.name for sweep, _ in cells))
    return [Record(runs, trial) for trial in cells[-1][1].trials.values()]


def _trials_of_job(runs: Path, name: str) -> list[Record]:
    """Return the records of the trials of a Slurm job, by its id as squeue prints it: 123_4."""
    if not JOB_ID.fullmatch(name):
        return []
    handles = [handle for array in list_job_arrays(runs) for handle in array.handles()]
    return [Record(runs, handle.trial_id) for handle in handles if handle.id == name]


def _labels(sweep: SweepManifest) -> set[str]:
    return {cell.label for cell in sweep.cells}


def find_record(runs: Path, prefix: str) -> Record:
    """Return the record of the trial whose id begins with a text; ValueError if there is none."""
    manifests = read_manifests(runs)
    planned = dict.fromkeys(name for manifest in manifests for name in manifest.trial_ids)
    # a job may end before a trial has a recipe.json
    trial_id = find_trial_id(trial_ids(runs), prefix) or find_trial_id(planned, prefix)
    if trial_id is None:
        if older := name_in_older_sweep(manifests, prefix):
            raise ValueError(f"{prefix} is a cell of an older sweep only: type {older}")
        known = {sweep.name for sweep in manifests}.union(*map(_labels, manifests))
        raise ValueError(
            f"no trial is called {prefix} in {runs}, and no sweep and no cell either:"
            f" {suggest_name(prefix, known, runs)}"
        )
    return Record(runs, trial_id)


def find_named_sweep(runs: Path, wanted: str) -> SweepManifest | None:
    """Return the newest sweep with a name or id; None for the name of a cell or of a trial."""
    manifests = read_manifests(runs)
    if not wanted or find_cells(manifests, wanted):
        return None
    trials = (name for name in trial_ids(runs) if name.startswith(wanted))
    found = find_sweeps(manifests, wanted)
    is_name = any(wanted in (sweep.name, sweep.sweep_id) for sweep in found)
    return found[-1] if found and (is_name or not any(trials)) else None
