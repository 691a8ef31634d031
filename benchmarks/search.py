"""Samplers and pruners replayed on recorded trials: distance to the best point, and cost.

python benchmarks/search.py [STUDIES]      Markdown for RESULTS.md; seconds per method

The table (benchmarks/data/landscape.csv, `make landscape`) has 216 points of five knobs, three
seeds each, with their learning curves. A study searches ranges, as a user would give them. Each
proposal is replaced by the nearest recorded point, with one of its seeds. The study receives the
accuracy on the selection set after each epoch and pays for the epochs. As in our searches, a point
that was seen before costs nothing. A study ends at a share of the cost of all 216 points with one
seed, or after 200 asks. Its winner is the finished point with the best selection accuracy. With
three seeds per point the study receives their mean, and the share is of the whole table. With
`proof`, the best five points also run, and are paid for, with the other two seeds; the winner has
the best mean.

Regret is the best mean over seeds in the table minus the mean of the winner, in points: of the
selection accuracy, which is the objective, and of the test accuracy, which no study uses.
"""

import sys
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
import pandas as pd
from optuna.trial import TrialState

from clip_hparam.config.recipe import Recipe
from clip_hparam.search.methods.pruners import create_pruner
from clip_hparam.search.methods.samplers import create_sampler
from clip_hparam.search.objective import parse_objective
from clip_hparam.search.space import parse_space

TABLE = Path(__file__).parent / "data" / "landscape.csv"
RANGES = {
    "lr": ["tag(log, interval(4e-4, 4e-2))"],
    "layer_decay": ["interval(0.5, 1)"],
    "mixup": ["0.0", "0.8"],
    "crop_scale": ["0.25", "0.75"],
    "label_smoothing": ["interval(0, 0.3)"],
}
SPACE, GOAL = parse_space(RANGES, {}), parse_objective("selection_acc1", None)
METHODS = [("random", "none"), ("tpe", "none"), ("random", "asha"), ("tpe", "asha")]
OTHERS = [("tpe", "hyperband"), ("tpe", "median")]
SHARES = (0.05, 0.10, 0.25)  # of the epochs of all points with one seed
PROVEN, NEAR, MOST = 5, 0.3, 200
COLUMNS = (
    *("sampler", "pruner", "seeds a point", "paid, of all points with as many"),
    *("regret, selection: median (10 to 90 %)", "regret, test", "within 0.3", "s a study"),
)


class Landscape:
    """Recorded trials: `curves` (points, seeds, epochs) and `test` (points, seeds), percent."""

    def __init__(self, path: Path) -> None:
        table = pd.read_csv(path)
        epochs = [name for name in table if name.startswith("selection_acc1.")]
        points = table.groupby(list(RANGES), sort=True)
        self.levels = [np.unique(table[knob]) for knob in RANGES]
        shape = (*(len(level) for level in self.levels), table["seed"].nunique())
        ordered = table.sort_values([*RANGES, "seed"])
        assert len(ordered) == np.prod(shape) == points.ngroups * shape[-1]
        curves = ordered[epochs].to_numpy().reshape(-1, shape[-1], len(epochs))
        self.shape = shape[:-1]
        self.curves = np.maximum.accumulate(curves, axis=2)  # the selected epoch so far
        self.test = ordered["test_acc1"].to_numpy().reshape(-1, shape[-1])

    @property
    def epochs(self) -> int:
        """Epochs of the whole table with one seed."""
        return self.curves.shape[0] * self.curves.shape[2]

    @cached_property
    def selection(self) -> np.ndarray:
        """Mean over seeds after the last epoch, shape (points,), percent."""
        return np.asarray(self.curves[:, :, -1].mean(axis=1))

    def point(self, values: dict[str, Any]) -> int:
        """Return the index of the nearest recorded point, knob by knob; lr on a log scale."""
        index = []
        for knob, level in zip(RANGES, self.levels, strict=True):
            scale = np.log if knob == "lr" else np.asarray
            index.append(int(np.abs(scale(level) - scale(values[knob])).argmin()))
        return int(np.ravel_multi_index(index, self.shape))


class Spent(NamedTuple):
    """State of a study after a trial: paid epochs, and finished points with their accuracy."""

    epochs: int
    finished: dict[int, float]


def replay(
    landscape: Landscape, sampler: str, pruner: str, seed: int, replicates: int
) -> Iterator[Spent]:
    """Yield the state of a study after each trial.

    The first replicate is reported epoch by epoch. If it is not pruned, the other replicates run to
    their end, and the study receives the mean.
    """
    _, seeds, last = landscape.curves.shape
    trains_with = [(seed + replicate) % seeds for replicate in range(replicates)]
    study = optuna.create_study(direction="maximize")
    study.pruner = create_pruner({"name": pruner}, GOAL, last, Recipe().warmup, 1)
    paid, finished, ended = 0, dict[int, float](), dict[int, tuple[TrialState, float]]()
    for number in range(MOST):
        study.sampler = create_sampler({"name": sampler, "seed": seed}, SPACE, GOAL, number)
        trial = study.ask()
        point = landscape.point(SPACE.suggest(trial))
        if point not in ended:
            curve = landscape.curves[point, trains_with[0]]
            pruned, epoch = False, 0
            while epoch < last and not pruned:
                trial.report(curve[epoch], epoch + 1)
                epoch += 1
                pruned = epoch < last and trial.should_prune()
            paid += epoch if pruned else last * replicates
            state = TrialState.PRUNED if pruned else TrialState.COMPLETE
            mean = landscape.curves[point, trains_with, epoch - 1].mean()
            ended[point] = state, float(curve[epoch - 1] if pruned else mean)
        state, value = ended[point]
        if state is TrialState.COMPLETE:
            finished[point] = value
            study.tell(trial, value)
        else:
            study.tell(trial, state=state)
        yield Spent(paid, dict(finished))


class Regret(NamedTuple):
    """Difference between the best mean and that of the winner, in points."""

    selection: float
    test: float


def regret(landscape: Landscape, point: int) -> Regret:
    mean, test = landscape.selection, landscape.test.mean(axis=1)
    return Regret(float(mean.max() - mean[point]), float(test.max() - test[point]))


def winner(spent: Spent) -> int:
    return max(spent.finished, key=lambda point: spent.finished[point])


def proven(landscape: Landscape, spent: Spent) -> int:
    """Return the point with the best mean over seeds among the best PROVEN finished points."""
    best = sorted(spent.finished, key=lambda point: -spent.finished[point])[:PROVEN]
    return max(best, key=lambda point: landscape.selection[point])


def at_shares(
    landscape: Landscape, sampler: str, pruner: str, seed: int, replicates: int
) -> dict[str, Regret]:
    """Return the regret of a study at each share, and with one seed also with proof."""
    found: dict[str, Regret] = {}
    every = landscape.epochs * replicates
    limits = {f"{share:.0%}": share * every for share in SHARES}
    if replicates == 1:
        extra = PROVEN * (landscape.curves.shape[1] - 1) * landscape.curves.shape[2]
        limits["25% with proof"] = SHARES[-1] * every - extra
    before = Spent(0, {})
    for spent in replay(landscape, sampler, pruner, seed, replicates):
        for name, limit in limits.items():
            if name not in found and spent.epochs > limit and before.finished:
                found[name] = _found(landscape, name, before)
        before = spent
        if len(found) == len(limits):
            break
    for name in limits.keys() - found.keys():
        found[name] = _found(landscape, name, before)
    return {name: found[name] for name in limits}


def _found(landscape: Landscape, name: str, spent: Spent) -> Regret:
    chosen = proven(landscape, spent) if "proof" in name else winner(spent)
    return regret(landscape, chosen)


def main() -> None:
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    landscape = Landscape(TABLE)
    print(
        f"{len(landscape.selection)} points; best mean on the selection set"
        f" {landscape.selection.max():.2f} %, median {np.median(landscape.selection):.2f} %;"
        f" {studies} studies a method\n"
    )
    print("| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|")
    rounds = [(1, *method) for method in METHODS + OTHERS] + [(3, *method) for method in METHODS]
    for replicates, sampler, pruner in rounds:
        started = time.process_time()
        found = [at_shares(landscape, sampler, pruner, seed, replicates) for seed in range(studies)]
        seconds = (time.process_time() - started) / studies
        for name in found[0]:
            rows = np.array([one[name] for one in found])
            told = [sampler, pruner, str(replicates), name, _told(rows[:, 0]), _told(rows[:, 1])]
            told += [f"{np.mean(rows[:, 0] <= NEAR):.0%}", f"{seconds:.1f}"]
            print("| " + " | ".join(told) + " |", flush=True)


def _told(values: np.ndarray) -> str:
    low, middle, high = np.percentile(values, [10, 50, 90])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
