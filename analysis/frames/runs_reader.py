"""A runs folder -> its trials and epochs, reading only what is not in the cache."""

import os
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.frames import cache
from clip_hparam.analysis.frames.cache import SIGNATURE, Known
from clip_hparam.analysis.frames.epochs import rows_to_table, table_of
from clip_hparam.analysis.frames.trial_reader import Trial, read_trial
from clip_hparam.records import archive


class Read(NamedTuple):
    """Sorted by trial_id; `problems` are sentences."""

    trials: pd.DataFrame
    epochs: pd.DataFrame
    problems: list[str]


def read_folder(runs: Path) -> Read:
    """All trials; the cache is brought up to date if enough of it is old."""
    place = str(runs)
    signatures = {name: cache.signature(f"{place}/{name}") for name in _names(runs)}
    known = cache.still_true(cache.read(runs), signatures)
    old = set(known.trials["trial_id"].to_pylist())
    changed = [name for name in signatures if name not in old]
    found = {name: read_trial(place, name) for name in changed}
    sound = {name: trial for name, trial in found.items() if not trial.problems}
    kept = cache.joined(known, _known(sound, signatures)) if sound else known
    if cache.worth_writing(len(sound), len(signatures)):
        cache.write(runs, kept)
    odd = {name: trial for name, trial in found.items() if trial.problems and trial.row}
    everything = cache.joined(kept, _known(odd, signatures)) if odd else kept
    problems = [problem for trial in found.values() for problem in trial.problems]
    trials = everything.trials.sort_by("trial_id").to_pandas().drop(columns=SIGNATURE)
    trials = trials.assign(folder=[f"{place}/{name}" for name in trials["trial_id"]])
    return Read(trials, everything.epochs.to_pandas(), problems)


def _names(runs: Path) -> list[str]:
    with os.scandir(runs) as entries:
        names = {
            entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")
        }
    return sorted(names | archive.open_archives(runs).keys())


def _known(trials: dict[str, Trial], signatures: dict[str, int]) -> Known:
    rows = [{**trial.row, SIGNATURE: signatures[name]} for name, trial in trials.items()]
    epochs = table_of((name, trial.epochs) for name, trial in trials.items())
    return Known(rows_to_table(rows), epochs)
