"""Records -> tidy frames: the door for notebooks, tables and figures.

`trials` has a row a trial: `trial_id`, `label`, `status`, `folder`, every knob under its one name
(`lr`, `data.shots`), every metric under `{test,selection}_{acc1,acc5,loss}.{raw,ema}.{selected,
last,best}` (accuracies in percent, NaN where there is none), `epochs.selected`, `selected_weights`,
`cost.*`, `numerics.*`, `versions.*`, `git.*`, `failure.*`. `epochs` has a row an epoch, counted
from 0, with `trial_id` to join on.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.frames.import_table import HEAD_FILE, read_trial_table
from clip_hparam.analysis.frames.json_files import UnreadableError
from clip_hparam.analysis.frames.manifests import SweepManifest, newest_by_name, read_manifests
from clip_hparam.analysis.frames.runs_reader import read_runs
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import knobs

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
HEAD_COLUMNS = TRIAL_COLUMNS[:4]
SAMPLED_KINDS = ("random", "sobol", "search")
CELL_KNOBS = tuple(
    name for name, knob in knobs().items() if knob.metadata["hashed"] and name != "seed"
)  # equal for all trials of one cell
FINGERPRINT_KNOBS = ("encoder.weights", "data.fingerprint")  # set at plan time, not by the user
EPOCH_COLUMNS = ("trial_id", "epoch", "step", "lr", "train_loss", "selection_acc1.raw")


class Frames(NamedTuple):
    """Everything a runs folder says; `problems` names what was not believed, a sentence each."""

    trials: pd.DataFrame
    epochs: pd.DataFrame
    sweeps: list[SweepManifest]
    problems: list[str]
    imported: TrialTable | None = None  # a table that was imported; its rows are among the trials


def load(runs: str | Path | Iterable[str | Path] = "runs") -> Frames:
    """One runs folder, or several together; the folder of an imported table counts as one.

    Raises FileNotFoundError for a folder that is not there. A trial that lies in several folders
    is taken once, from the first in which it is done.
    """
    folders = [Path(runs)] if isinstance(runs, (str, Path)) else [Path(folder) for folder in runs]
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {folder}: name the folder of the records")
    read = [read_runs(folder) for folder in folders]
    imported, problems = _read_imported(
        [folder for folder in folders if (folder / HEAD_FILE).exists()]
    )
    manifests = [read_manifests(folder) for folder in folders]
    trials, epochs, repeated = _deduplicate(
        [one.trials for one in read], [one.epochs for one in read]
    )
    return Frames(
        _with_promised_columns(pd.concat([trials, _imported_rows(imported)]), TRIAL_COLUMNS),
        _with_promised_columns(epochs, EPOCH_COLUMNS),
        [sweep for sweeps, _ in manifests for sweep in sweeps],
        [*problems, *(said for one in read for said in one.problems), *repeated]
        + [problem for _, said in manifests for problem in said],
        imported,
    )


def reported_values(trials: pd.DataFrame, metric: str = "test_acc1") -> pd.Series:
    """The number that stands for a trial: at the selected epoch, of the weights that selected it.

    NaN where the trial is not done. Raises ValueError for a metric that no trial can have.
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
    """Trials by the knobs that vary among them: of that sweep; of none given, an imported table,
    else the newest search or sampled design, else all trials.

    What was pruned was tried too, and has no objective. The objective of our own is the accuracy on
    the selection set: the test set only reports.
    """
    if sweep is None and frames.imported is not None:
        return frames.imported
    done = ended_trials(frames, sweep)
    not_tuned = (*FINGERPRINT_KNOBS, "data.epoch_images")
    names = [name for name in CELL_KNOBS if name in done and name not in not_tuned]
    varied = [name for name in names if done[name].nunique(dropna=False) > 1]
    metrics = {
        name: reported_values(done, name) for name in ("selection_acc1", "test_acc1", "test_loss")
    }
    rows = done[varied].assign(**metrics, **{"cost.seconds": done["cost.seconds"]})
    rows = rows.set_axis(done["trial_id"], axis="index")
    return TrialTable(rows, varied, [*metrics, "cost.seconds"], "selection_acc1", minimize=False)


def sampled_sweeps(frames: Frames) -> list[SweepManifest]:
    """Designs that draw their cells, and searches: each is a sample of its space. Newest last."""
    drawn = (one for one in newest_by_name(frames.sweeps).values() if one.kind in SAMPLED_KINDS)
    return sorted(drawn, key=lambda one: (one.created, one.sweep_id))


def ended_trials(frames: Frames, sweep: SweepManifest | None = None) -> pd.DataFrame:
    """Trials that are done or pruned: of a sweep, else of the newest of `sampled`, else all."""
    ended = frames.trials[frames.trials["status"].isin(["done", "pruned"])]
    for one in [sweep] if sweep else sampled_sweeps(frames)[-1:]:
        drawn = {trial_id for cell in one.cells for trial_id in cell.trials.values()}
        ended = ended[ended["trial_id"].isin(drawn)]
    return ended


def _read_imported(folders: list[Path]) -> tuple[TrialTable | None, list[str]]:
    """The table of the first folder that holds one, and what is wrong with it or the others."""
    problems = [f"{folder}: one imported table at a time" for folder in folders[1:]]
    try:
        return (read_trial_table(folders[0]) if folders else None), problems
    except UnreadableError as error:
        return None, [str(error), *problems]


def _imported_rows(imported: TrialTable | None) -> pd.DataFrame:
    """An imported row as a done trial; what it is called there never hides a column of ours."""
    if imported is None:
        return pd.DataFrame()
    names = imported.rows.index
    rows = imported.rows.rename(columns={name: f"imported.{name}" for name in HEAD_COLUMNS})
    return rows.assign(trial_id=names, label=names, status="done").reset_index(drop=True)


def _deduplicate(
    trials: list[pd.DataFrame], epochs: list[pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Each trial_id once, a done one first; a sentence where two done ones tell other numbers."""
    together = pd.concat([one.assign(_from=place) for place, one in enumerate(trials)])
    rows = pd.concat([one.assign(_from=place) for place, one in enumerate(epochs)])
    if together["trial_id"].is_unique:
        return together.drop(columns="_from"), rows.drop(columns="_from"), []
    first = together.assign(_late=together["status"] != "done").sort_values("_late", kind="stable")
    kept = first.drop_duplicates("trial_id").drop(columns="_late")
    problems = _disagreements(first[first["status"] == "done"])
    rows = rows.merge(kept[["trial_id", "_from"]], on=["trial_id", "_from"])
    kept = kept.sort_values("trial_id")
    return kept.drop(columns="_from"), rows.drop(columns="_from"), problems


def _disagreements(done: pd.DataFrame) -> list[str]:
    """Of trials that are done in two folders, those whose numbers differ."""
    told = [name for name in (*METRIC_COLUMNS, "selected_weights") if name in done]
    again = done[done["trial_id"].duplicated(keep=False)]
    return [
        f"{other['folder']} has other metrics than {rows.iloc[0]['folder']}: only the latter is"
        " used"
        for _, rows in again.groupby("trial_id")
        for _, other in rows.iloc[1:].iterrows()
        if not other[told].equals(rows.iloc[0][told])
    ]


def _with_promised_columns(frame: pd.DataFrame, first: tuple[str, ...]) -> pd.DataFrame:
    """The rows, with the promised columns always there and in front."""
    columns = [*first, *(name for name in frame if name not in first)]
    frame = frame.reset_index(drop=True).reindex(columns=columns)
    metrics = [name for name in METRIC_COLUMNS if name in frame]
    return frame.astype(dict.fromkeys(metrics, float))
