"""Live searches beside the replay of benchmarks/search.py: the same knobs, trained, not looked up.

python benchmarks/live_search.py [SEARCHES] [POINTS]      Markdown for RESULTS.md, minutes a search

Each is one command, TPE with ASHA over the ranges that the replay gives, three seeds a point, the
sampler's seed in turn. What it paid is epochs, beside those of the recorded table; its regret is
the best mean of the table less the mean of its winner on the same three seeds, negative if it found
a better one between the table's points.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from search import RANGES, TABLE, Landscape

from clip_hparam.records import read_json
from clip_hparam.search.points import points
from clip_hparam.search.search import Manifest

ROOT = Path(__file__).parents[1]
BASE = ("recipe=weak_aug", "ema_decay=0", "epochs=9", "data.epoch_images=100", "seeds=3")
COLUMNS = (
    *("sampler's seed", "points", "pruned", "epochs, of the table", "wall time"),
    *("winner, selection", "regret", "winner, test", "regret, test"),
)


def typed(seed: int, count: int) -> list[str]:
    """The words of a search."""
    space = [f"{knob}={','.join(levels)}" for knob, levels in RANGES.items()]
    asked = (f"n_trials={count}", f"sampler={{name:tpe,seed:{seed}}}", "pruner=asha")
    return ["-m", *BASE, *space, *(f"hydra.sweeper.{word}" for word in asked)]


def held(landscape: Landscape, seed: int, count: int) -> str:
    """One live search, as a row."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        words = [sys.executable, str(ROOT / "sweep.py"), *typed(seed, count)]
        subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - started
        (path,) = (Path(folder) / "runs" / ".sweeps").glob("*.json")
        manifest = Manifest(path)
        found = points(manifest.search(), manifest.read()["cells"])
        best = max((one for one in found if one.values), key=lambda one: (one.values or (0,))[0])
        results = [
            read_json(path.parents[1] / trial / "result.json") or {}
            for trial in best.trials.values()
        ]
    selection = best.values[0] if best.values else float("nan")
    test = sum(one["metrics"]["test_acc1.raw.selected"] for one in results) / len(results)
    epochs = sum(one.epochs for one in found)
    share = epochs / (landscape.epochs * landscape.curves.shape[1])
    pruned = sum(one.state == "pruned" for one in found)
    cells = [
        *(str(seed), str(len(found)), str(pruned), f"{epochs}: {share:.0%}", f"{seconds:.0f} s"),
        *(f"{selection:.2f} %", f"{landscape.selection.max() - selection:+.2f}"),
        *(f"{test:.2f} %", f"{landscape.test.mean(axis=1).max() - test:+.2f}"),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("searches", type=int, nargs="?", default=5)
    parser.add_argument("points", type=int, nargs="?", default=100)
    asked = parser.parse_args()
    landscape = Landscape(TABLE)
    print(f"| {' | '.join(COLUMNS)} |\n" + "|---" * len(COLUMNS) + "|")
    for seed in range(asked.searches):
        print(held(landscape, seed, asked.points), flush=True)


if __name__ == "__main__":
    main()
