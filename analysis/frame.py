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

from analysis.folder import Trial, read_trial
from analysis.sweeps import Sweep, read_sweeps
from clip_hparam.knob import near
from clip_hparam.recipe import knobs

METRICS = tuple(
    f"{split}_{measure}.{weights}.{rule}"
    for split in ("test", "selection")
    for measure in ("acc1", "acc5", "loss")
    for weights in ("raw", "ema")
    for rule in ("selected", "last", "best")
)
TRIAL_COLUMNS = (
    *("trial_id", "label", "status", "folder"),
    *(name for name, knob in knobs().items() if knob.metadata["hashed"]),
    *METRICS,
    *("epochs.selected", "epochs.last", "selected_weights", "cost.seconds", "cost.gpu_hours"),
    *("git.sha", "git.dirty"),
)
EPOCH_COLUMNS = ("trial_id", "epoch", "step", "lr", "train_loss", "selection_acc1.raw")


class Frames(NamedTuple):
    """Everything a runs folder says; `problems` names what was not believed, a sentence each."""

    trials: pd.DataFrame
    epochs: pd.DataFrame
    sweeps: list[Sweep]
    problems: list[str]


def load(runs: str | Path | Iterable[str | Path] = "runs") -> Frames:
    """One runs folder, or several together.

    Raises FileNotFoundError for a folder that is not there. A trial that lies in several folders
    is taken once, from the first in which it is done.
    """
    folders = [Path(runs)] if isinstance(runs, (str, Path)) else [Path(folder) for folder in runs]
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {folder}: name the folder of the records")
    read = [read_trial(path) for folder in folders for path in _trial_folders(folder)]
    manifests = [read_sweeps(folder) for folder in folders]
    kept, repeated = _once([trial for trial in read if trial.row])
    problems = [problem for trial in read for problem in trial.problems] + repeated
    return Frames(
        _frame([trial.row for trial in kept], TRIAL_COLUMNS),
        _frame([row for trial in kept for row in trial.epochs], EPOCH_COLUMNS),
        [sweep for sweeps, _ in manifests for sweep in sweeps],
        problems + [problem for _, said in manifests for problem in said],
    )


def reported(trials: pd.DataFrame, metric: str = "test_acc1") -> pd.Series:
    """The number that stands for a trial: at the selected epoch, of the weights that selected it.

    NaN where the trial is not done. Raises ValueError for a metric that no trial can have.
    """
    columns = {weights: f"{metric}.{weights}.selected" for weights in ("raw", "ema")}
    if columns["raw"] not in trials:
        names = map(str, trials.columns)
        known = {name.partition(".")[0] for name in names if name.endswith(".selected")}
        raise ValueError(f"there is no metric {metric}: {near(metric, known - {'epochs'})}")
    values = pd.Series(float("nan"), index=trials.index)
    for weights, column in columns.items():
        values = values.mask(trials["selected_weights"] == weights, trials[column])
    return values.astype(float)


def _trial_folders(runs: Path) -> list[Path]:
    return sorted(
        path for path in runs.iterdir() if path.is_dir() and not path.name.startswith(".")
    )


def _once(trials: list[Trial]) -> tuple[list[Trial], list[str]]:
    """Each trial_id once, a done one first; a sentence where two done ones tell other numbers."""
    kept: dict[str, Trial] = {}
    problems: list[str] = []
    for trial in sorted(trials, key=lambda trial: trial.row["status"] != "done"):
        first = kept.setdefault(trial.row["trial_id"], trial)
        if first is not trial and trial.row["status"] == "done" and _differ(first, trial):
            here, there = first.row["folder"], trial.row["folder"]
            problems.append(f"{there} has other metrics than {here}: only the latter is used")
    return sorted(kept.values(), key=lambda trial: str(trial.row["trial_id"])), problems


def _differ(one: Trial, other: Trial) -> bool:
    names = [name for name in (*METRICS, "selected_weights") if name in one.row | other.row]
    return not pd.Series({name: one.row.get(name) for name in names}).equals(
        pd.Series({name: other.row.get(name) for name in names})
    )


def _frame(rows: list[dict[str, object]], first: tuple[str, ...]) -> pd.DataFrame:
    """The rows, with the promised columns always there and in front."""
    frame = pd.DataFrame(rows)
    columns = [*first, *(name for name in frame if name not in first)]
    frame = frame.reindex(columns=columns)
    metrics = [name for name in METRICS if name in frame]
    return frame.astype(dict.fromkeys(metrics, float))
