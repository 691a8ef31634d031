"""Real searches over the knobs of benchmarks/search.py: points are trained, not looked up.

python benchmarks/live_search.py [SEARCHES] [POINTS] [--levels]      Markdown for RESULTS.md

Each search is one command of some minutes: TPE with ASHA over the ranges of the replay, three seeds
per point, another sampler seed each time. With --levels the search is over the levels of the
recorded table; a point that is asked for twice is then trained once. Its cost is the number of
trained epochs, as a share of the epochs of the table. The best of many means of three seeds is
partly lucky, in the table and in a search. Both winners are therefore trained again on ten fresh
seeds: regret is the accuracy of the table's best there minus that of the search, in points, with
the paired 95 % t interval.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
from search import RANGES, TABLE, Landscape

from clip_hparam import analysis
from clip_hparam.analysis.frames.frame import reported_values
from clip_hparam.analysis.stats.intervals import estimate
from clip_hparam.search.results import point_results
from clip_hparam.search.spec import SearchManifest

ROOT = Path(__file__).parents[1]
BASE = ("recipe=weak_aug", "ema_decay=0", "epochs=9", "data.epoch_images=100")
COLUMNS = (
    *("sampler's seed", "points", "pruned", "epochs, of the table", "its winner", "on fresh seeds"),
    *("regret, selection", "regret, test"),
)
FRESH = range(10, 20)


class Means(NamedTuple):
    """Accuracies of a recipe on fresh seeds, in percent."""

    selection: list[float]
    test: list[float]


def swept(folder: Path, *words: str) -> None:
    command = [sys.executable, str(ROOT / "sweep.py"), "-m", *BASE, *words]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def fresh(folder: Path, overrides: list[str]) -> Means:
    """Train a point on the seeds FRESH in the given folder and return its accuracies."""
    swept(folder, *overrides, f"seeds={list(FRESH)}")
    trials = analysis.load(folder / "runs").trials.sort_values("seed")
    selection, test = (
        reported_values(trials, name).to_list() for name in ("selection_acc1", "test_acc1")
    )
    return Means(selection, test)


def held(
    seed: int, count: int, space: Mapping[str, Sequence[str]], landscape: Landscape, best: Means
) -> str:
    """Run one search and return its table row."""
    words = [f"{knob}={','.join(levels)}" for knob, levels in space.items()]
    asked = (f"n_trials={count}", f"sampler={{name:tpe,seed:{seed}}}", "pruner=asha")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        keys = [f"hydra.sweeper.{word}" for word in asked]
        swept(Path(folder), "seeds=3", *words, *keys)
        (path,) = (Path(folder) / "runs" / ".sweeps").glob("*.json")
        manifest = SearchManifest(path)
        found = point_results(manifest.load_search(), manifest.read()["cells"])
        winner = max((one for one in found if one.values), key=lambda one: one.values or ())
        knobs = [word for word in winner.overrides if word.partition("=")[0] in RANGES]
        again = fresh(Path(other), knobs)
    epochs = sum(
        {one.label: one.epochs for one in found}.values()
    )  # what is there is not run again
    share = epochs / (landscape.epochs * landscape.curves.shape[1])
    cells = [
        *(str(seed), str(len(found)), str(sum(one.state == "pruned" for one in found))),
        *(f"{epochs}: {share:.0%}", f"{(winner.values or (0.0,))[0]:.2f} %"),
        f"{fmean(again.selection):.2f} %",
        *(_regret(ours, theirs) for ours, theirs in zip(again, best, strict=True)),
    ]
    return f"| {' | '.join(cells)} |"


def _regret(ours: list[float], theirs: list[float]) -> str:
    found = estimate(np.subtract(theirs, ours))
    return f"{found.mean:+.2f} ({found.low:+.2f} to {found.high:+.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("searches", type=int, nargs="?", default=5)
    parser.add_argument("points", type=int, nargs="?", default=100)
    parser.add_argument("--levels", action="store_true")
    asked = parser.parse_args()
    landscape = Landscape(TABLE)
    place = np.unravel_index(landscape.selection.argmax(), landscape.shape)
    levels: dict[str, Sequence[str]] = {
        knob: [f"{level:g}" for level in those]
        for knob, those in zip(RANGES, landscape.levels, strict=True)
    }
    space = levels if asked.levels else RANGES
    at_best = zip(levels.items(), place, strict=True)
    with tempfile.TemporaryDirectory() as folder:
        best = fresh(Path(folder), [f"{knob}={those[at]}" for (knob, those), at in at_best])
    print(
        f"The table's best: {landscape.selection.max():.2f} % on its own three seeds, on ten fresh"
        f" ones {fmean(best.selection):.2f} %, and {fmean(best.test):.2f} % of the test set.\n"
    )
    print(f"| {' | '.join(COLUMNS)} |\n" + "|---" * len(COLUMNS) + "|")
    for seed in range(asked.searches):
        print(held(seed, asked.points, space, landscape, best), flush=True)


if __name__ == "__main__":
    main()
