"""Keep one row for each trial that is in several runs folders."""

from collections.abc import Collection

import pandas as pd

from clip_hparam.analysis.frames.trial_table import add_columns
from clip_hparam.records.state import TrialState


def deduplicate(
    trials: list[pd.DataFrame], epochs: list[pd.DataFrame], results: Collection[str]
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Concatenate the folders' trials and epochs with each trial_id once, preferring done trials.

    Also return a sentence for each pair of done copies with different `results`, their columns.
    """
    all_trials = pd.concat([add_columns(t, _folder=number) for number, t in enumerate(trials)])
    all_epochs = pd.concat([add_columns(e, _folder=number) for number, e in enumerate(epochs)])
    if all_trials["trial_id"].is_unique:
        return all_trials.drop(columns="_folder"), all_epochs.drop(columns="_folder"), []
    not_done = add_columns(all_trials, _not_done=all_trials["status"] != TrialState.DONE)
    ordered = not_done.sort_values("_not_done", kind="stable").drop(columns="_not_done")
    problems = _disagreements(ordered[ordered["status"] == TrialState.DONE], results)
    unique = ordered.drop_duplicates("trial_id").sort_values("trial_id")
    unique_epochs = all_epochs.merge(unique[["trial_id", "_folder"]], on=["trial_id", "_folder"])
    return unique.drop(columns="_folder"), unique_epochs.drop(columns="_folder"), problems


def _disagreements(done: pd.DataFrame, results: Collection[str]) -> list[str]:
    """Return a sentence for each trial that is done in two folders with different metrics."""
    metrics = [name for name in results if name in done]
    repeated = done[done["trial_id"].duplicated(keep=False)]
    return [
        f"{copy['folder']} has other metrics than {copies.iloc[0]['folder']}: only the latter is"
        " used"
        for _, copies in repeated.groupby("trial_id")
        for _, copy in copies.iloc[1:].iterrows()
        if not copy[metrics].equals(copies.iloc[0][metrics])
    ]
