"""A runs folder -> its trials and epochs, reading only what is not in the cache."""

import os
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.frames import cache
from clip_hparam.analysis.frames.cache import SIGNATURE_COLUMN, CachedTables
from clip_hparam.analysis.frames.epochs import epochs_table, rows_to_table
from clip_hparam.analysis.frames.trial_reader import TrialContents, read_trial
from clip_hparam.records import archive


class RunsContents(NamedTuple):
    """Sorted by trial_id; `problems` are sentences."""

    trials: pd.DataFrame
    epochs: pd.DataFrame
    problems: list[str]


def read_runs(runs: Path) -> RunsContents:
    """All trials; the cache is brought up to date if enough of it is old."""
    place = str(runs)
    signatures = {name: cache.trial_signature(f"{place}/{name}") for name in _trial_ids(runs)}
    known = cache.without_changed_trials(cache.read_cache(runs), signatures)
    old = set(known.trials["trial_id"].to_pylist())
    changed = [name for name in signatures if name not in old]
    found = {name: read_trial(place, name) for name in changed}
    sound = {name: trial for name, trial in found.items() if not trial.problems}
    kept = cache.concat_cached(known, _to_tables(sound, signatures)) if sound else known
    if cache.should_write(len(sound), len(signatures)):
        cache.write_cache(runs, kept)
    odd = {name: trial for name, trial in found.items() if trial.problems and trial.row}
    everything = cache.concat_cached(kept, _to_tables(odd, signatures)) if odd else kept
    problems = [problem for trial in found.values() for problem in trial.problems]
    trials = everything.trials.sort_by("trial_id").to_pandas().drop(columns=SIGNATURE_COLUMN)
    trials = trials.assign(folder=[f"{place}/{name}" for name in trials["trial_id"]])
    return RunsContents(trials, everything.epochs.to_pandas(), problems)


def _trial_ids(runs: Path) -> list[str]:
    with os.scandir(runs) as entries:
        names = {
            entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")
        }
    return sorted(names | archive.open_archives(runs).keys())


def _to_tables(trials: dict[str, TrialContents], signatures: dict[str, int]) -> CachedTables:
    rows = [{**trial.row, SIGNATURE_COLUMN: signatures[name]} for name, trial in trials.items()]
    epochs = epochs_table((name, trial.epochs) for name, trial in trials.items())
    return CachedTables(rows_to_table(rows), epochs)
