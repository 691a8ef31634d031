"""Read the trials and epochs of a runs folder; unchanged trials come from the cache."""

import os
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.frames import cache
from clip_hparam.analysis.frames.cache import SIGNATURE_COLUMN, CachedTables
from clip_hparam.analysis.frames.epochs import epochs_table, rows_to_table
from clip_hparam.analysis.frames.trial_reader import TrialContents, read_trial
from clip_hparam.analysis.frames.trial_table import add_columns
from clip_hparam.records import archive


class RunsContents(NamedTuple):
    """Trials sorted by trial_id, their epochs, and a sentence per record that was not used."""

    trials: pd.DataFrame
    epochs: pd.DataFrame
    problems: list[str]


def read_runs(runs: Path) -> RunsContents:
    """Read all trials of a runs folder, and write the cache if enough trials are new."""
    return _with_fresh_trials(runs, _signatures(runs), cache.read_cache(runs))


def read_trials(runs: Path) -> RunsContents:
    """Read all trials of a runs folder and none of their epochs, in about half the time.

    If enough trials are new, the epochs are read as well, because the cache has both.
    """
    signatures = _signatures(runs)
    known = cache.read_cached_trials(runs)
    n_known = len(cache.without_changed_trials(known, signatures).trials)
    if cache.should_write(len(signatures) - n_known, len(signatures)):
        known = cache.read_cache(runs)
    return _with_fresh_trials(runs, signatures, known)


def _signatures(runs: Path) -> dict[str, int]:
    return {name: cache.trial_signature(f"{runs}/{name}") for name in _trial_ids(runs)}


def _with_fresh_trials(runs: Path, signatures: dict[str, int], known: CachedTables) -> RunsContents:
    """Add to the cached trials those that are not in the cache, and write it if they are many."""
    folder = str(runs)
    cached = cache.without_changed_trials(known, signatures)
    cached_ids = set(cached.trials["trial_id"].to_pylist())
    fresh = {name: read_trial(folder, name) for name in signatures if name not in cached_ids}
    sound = {name: trial for name, trial in fresh.items() if not trial.problems}
    if sound:
        cached = cache.concat_cached(cached, _to_tables(sound, signatures))
    if cache.should_write(len(sound), len(signatures)):
        cache.write_cache(runs, cached)
    damaged = {name: trial for name, trial in fresh.items() if trial.problems and trial.row}
    tables = cache.concat_cached(cached, _to_tables(damaged, signatures)) if damaged else cached
    problems = [problem for trial in fresh.values() for problem in trial.problems]
    trials = tables.trials.sort_by("trial_id").to_pandas().drop(columns=SIGNATURE_COLUMN)
    trials = add_columns(trials, folder=[f"{folder}/{name}" for name in trials["trial_id"]])
    return RunsContents(trials, tables.epochs.to_pandas(), problems)


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
