"""Load records into tidy frames, the input of notebooks, tables and figures.

`trials` has a row per trial: `trial_id`, `label`, `status`, `folder`, every knob by its name (`lr`,
`data.shots`), every metric as `{test,selection}_{acc1,acc5,loss}.{raw,ema}.{selected,last,best}`
(accuracies in percent, NaN if missing), `epochs.selected`, `selected_weights`, `cost.*`,
`numerics.*`, `versions.*`, `git.*`, `failure.*`. `epochs` has a row per epoch, counted from 0, and
a column `trial_id`. docs/frame.md lists all columns.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.frames.duplicates import deduplicate
from clip_hparam.analysis.frames.imported import imported_rows, read_imported
from clip_hparam.analysis.frames.importing.cells import IMPORTED_KIND, cell_means
from clip_hparam.analysis.frames.manifests import SweepManifest, output_names, read_manifests
from clip_hparam.analysis.frames.runs_reader import read_runs, read_trials
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import knobs
from clip_hparam.records.paths import DEFAULT_RUNS
from clip_hparam.records.state import FINISHED, TrialState

METRIC_COLUMNS = tuple(
    f"{split}_{measure}.{weights}.{rule}"
    for split in ("test", "selection")
    for measure in ("acc1", "acc5", "loss")
    for weights in ("raw", "ema")
    for rule in ("selected", "last", "best")
)
TRIAL_COLUMNS = (
    *("trial_id", "label", "status", "folder"),
    *(name for name, knob in knobs().items() if knob.metadata["hashed"]),
    *METRIC_COLUMNS,
    *("epochs.selected", "epochs.last", "selected_weights", "cost.seconds", "cost.gpu_hours"),
    *("git.sha", "git.dirty"),
)
SAMPLED_KINDS = ("random", "sobol", "search")
CELL_KNOBS = tuple(
    name for name, knob in knobs().items() if knob.metadata["hashed"] and name != "seed"
)  # equal for all trials of one cell
FINGERPRINT_KNOBS = ("encoder.weights", "data.fingerprint")  # set at plan time, not by the user
EPOCH_COLUMNS = ("trial_id", "epoch", "step", "lr", "train_loss", "selection_acc1.raw")


class Frames(NamedTuple):
    """The records of one or several runs folders."""

    trials: pd.DataFrame
    epochs: pd.DataFrame
    sweeps: list[SweepManifest]
    problems: list[str]  # a sentence for each record that was not used
    imported: TrialTable | None = None
    """An imported table; its rows are also in `trials`, its cells in `sweeps`."""
    family: str = ""
    """Recipe family of all `sweeps`; empty for the miniature, and where all families are in one."""
    runs: str = str(DEFAULT_RUNS)
    """The first of the runs folders, for commands that messages name."""


def load(runs: str | Path | Iterable[str | Path] = "runs") -> Frames:
    """Load one or several runs folders; the folder of an imported table is one of them.

    A trial that several folders hold is taken from the first one in which it is done.

    Raises:
        FileNotFoundError: a folder does not exist.
    """
    folders = [Path(runs)] if isinstance(runs, (str, Path)) else [Path(folder) for folder in runs]
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {folder}: name the folder of the records")
    contents = [read_runs(folder) for folder in folders]
    manifests = [read_manifests(folder) for folder in folders]
    trials, epochs, conflicts = deduplicate(
        [runs.trials for runs in contents],
        [runs.epochs for runs in contents],
        (*METRIC_COLUMNS, "selected_weights"),
    )
    trial_problems = [problem for runs in contents for problem in runs.problems]
    manifest_problems = [problem for _, problems in manifests for problem in problems]
    sweeps = [sweep for sweeps, _ in manifests for sweep in sweeps]
    imported = read_imported(folders, {sweep.name for sweep in sweeps}, trials["trial_id"])
    return Frames(
        _with_promised_columns(pd.concat([trials, imported_rows(imported.table)]), TRIAL_COLUMNS),
        _with_promised_columns(epochs, EPOCH_COLUMNS),
        [*sweeps, imported.sweep] if imported.sweep else sweeps,
        [*imported.problems, *trial_problems, *conflicts, *manifest_problems],
        imported.table,
        runs=str(folders[0]) if folders else str(DEFAULT_RUNS),
    )


def load_trials(runs: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return the trials of one runs folder, and a sentence for each record that was not used.

    The columns are those of `load`; epochs and manifests are not read, which takes half the time.

    Raises:
        FileNotFoundError: the folder does not exist.
    """
    if not runs.is_dir():
        raise FileNotFoundError(f"there is no folder {runs}: name the folder of the records")
    contents = read_trials(runs)
    imported = read_imported([runs], set(), contents.trials["trial_id"])
    trials = pd.concat([contents.trials, imported_rows(imported.table)])
    return _with_promised_columns(trials, TRIAL_COLUMNS), [*imported.problems, *contents.problems]


def of_family(frames: Frames, family: str) -> Frames:
    """Return the frames without the sweeps of other families and their trials.

    family: empty is the miniature. Trials of no sweep and rows of an imported table are kept.
    """
    sweeps = [sweep for sweep in frames.sweeps if sweep.family == family]
    kept = frames._replace(sweeps=sweeps, family=family)
    if frames.imported is not None:
        return kept
    ours = {trial_id for sweep in sweeps for trial_id in sweep.trial_ids}
    others = {trial_id for sweep in frames.sweeps for trial_id in sweep.trial_ids} - ours
    trials, epochs = (
        frame[~frame["trial_id"].isin(others)].reset_index(drop=True)
        for frame in (frames.trials, frames.epochs)
    )
    return kept._replace(trials=trials, epochs=epochs)


def reported_values(trials: pd.DataFrame, metric: str = "test_acc1") -> pd.Series:
    """Return the reported metric of each trial: selected epoch, weights that selected it.

    NaN if the trial is not done.

    Raises:
        ValueError: the metric does not exist.
    """
    columns = {weights: f"{metric}.{weights}.selected" for weights in ("raw", "ema")}
    if columns["raw"] not in trials:
        names = map(str, trials.columns)
        known = {name.partition(".")[0] for name in names if name.endswith(".selected")}
        raise ValueError(f"there is no metric {metric}: {suggest(metric, known - {'epochs'})}")
    values = pd.Series(float("nan"), index=trials.index)
    for weights, column in columns.items():
        values = values.mask(trials["selected_weights"] == weights, trials[column])
    return values.astype(float)


def trial_table(frames: Frames, sweep: SweepManifest | None = None) -> TrialTable:
    """Return the trials with the knobs that vary among them.

    Without `sweep`: the imported table if one exists, a row per cell if it has seeds, else the
    trials of the newest search or sampled design, else all trials. The objective of ours is the
    accuracy on the selection set, since the test set selects nothing; a pruned trial has none.
    """
    if frames.imported is not None and (sweep is None or sweep.kind == IMPORTED_KIND):
        return cell_means(frames.imported)
    ended = ended_trials(frames, sweep)
    not_tuned = (*FINGERPRINT_KNOBS, "data.epoch_images")
    names = [name for name in CELL_KNOBS if name in ended and name not in not_tuned]
    varied = [name for name in names if ended[name].nunique(dropna=False) > 1]
    metrics = {
        name: reported_values(ended, name) for name in ("selection_acc1", "test_acc1", "test_loss")
    }
    rows = ended[varied].assign(**metrics, **{"cost.seconds": ended["cost.seconds"]})
    rows = rows.set_axis(ended["trial_id"], axis="index")
    names = [*metrics, "cost.seconds"]
    return TrialTable(rows, varied, names, "selection_acc1", minimize=False, ours=True)


def done_trials(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of trials that are done."""
    return trials[trials["status"] == TrialState.DONE]


def sampled_sweeps(frames: Frames) -> list[SweepManifest]:
    """Return the searches and the random and Sobol designs, newest last."""
    sweeps = output_names(frames.sweeps).values()
    sampled = (sweep for sweep in sweeps if sweep.kind in SAMPLED_KINDS)
    return sorted(sampled, key=SweepManifest.age)


def ended_trials(frames: Frames, sweep: SweepManifest | None = None) -> pd.DataFrame:
    """Return the done and pruned trials of a sweep.

    Without `sweep`: of the newest of `sampled_sweeps`, else of all records.
    """
    ended = frames.trials[frames.trials["status"].isin(FINISHED)]
    if sweep is None:
        sweep = next(reversed(sampled_sweeps(frames)), None)
    if sweep is None:
        return ended
    return ended[ended["trial_id"].isin(sweep.trial_ids)]


def _with_promised_columns(frame: pd.DataFrame, first: tuple[str, ...]) -> pd.DataFrame:
    """Put the documented columns first, and add missing ones as empty columns."""
    columns = [*first, *(name for name in frame if name not in first)]
    frame = frame.reset_index(drop=True).reindex(columns=columns)
    metrics = [name for name in METRIC_COLUMNS if name in frame]
    return frame.astype(dict.fromkeys(metrics, float)).copy()  # astype makes a block per column
