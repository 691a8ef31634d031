"""Speed of reading records into frames: 10,000 trials of 50 epochs, and plain pandas.

    python benchmarks/gather.py [--trials 10000] [--epochs 50]

Prints CPU seconds of this process (user and system) without imports, the median of three. `naive`
is the code that a notebook would have, run once: json.load of each result, pandas.read_json of the
epochs, concat.
"""

import argparse
import itertools
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from rows import Row, ratio_of, row_of, to_markdown

from clip_hparam import analysis
from clip_hparam.analysis.frames import cache
from clip_hparam.config.identity import canonical, label, trial_id
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.records.record import Record

QUICK = ["--trials", "20", "--epochs", "2"]
ROUNDS = 3
RESOLVED = {
    "encoder.weights": "ab" * 32, "data.fingerprint": "cd" * 32, "data.epoch_images": 750,
    "resolution": 32, "encoder.pixels": "clip", "augment_backend": "tensor",
    "mix_pairs": "mirrored", "ema_decay": 0.98,
}  # fmt: skip
COLUMNS = [
    f"{split}_{measure}.{weights}"
    for split in ("test", "selection")
    for measure in ("acc1", "acc5", "loss")
    for weights in ("raw", "ema")
]


def write_trial(runs: Path, seed: int, epochs: int, right: float, **knobs: object) -> str:
    """Write the record of a finished trial and return the trial id."""
    recipe = with_values(Recipe(), {**RESOLVED, **knobs, "seed": seed})
    record = Record(runs, trial_id(recipe))
    record.folder.mkdir(exist_ok=True)
    draw = np.random.default_rng(seed)
    table = draw.uniform(right - 1, right, (epochs, 6)).round(6)
    rows = [
        {"epoch": epoch, "step": 15 * epoch, "lr": 1e-3 / (epoch + 1), "train_loss": 0.7123456,
         **dict(zip(COLUMNS[6:], map(float, table[epoch]), strict=True)),
         "seconds": 1.123456, "img_per_s": 651.234}
        for epoch in range(epochs)
    ]  # fmt: skip
    bits = np.packbits(draw.random(1597) < right / 100)
    which = itertools.product((1, 5), ("raw", "ema"), ("selected", "last"))
    named = {f"acc{top}.{weights}.{rule}": bits for top, weights, rule in which}
    shows = {"labels": draw.integers(10, size=1597).astype(np.uint8), "classes": np.arange(10)}
    np.savez_compressed(record.folder / "correct.npz", n=np.array(1597), **shows, **named)
    metrics = {f"{name}.{rule}": right for name in COLUMNS for rule in ("selected", "last", "best")}
    record.write_recipe(canonical(recipe), label(recipe))
    record.write_rows(rows)
    record.write_result({
        "metrics": metrics, "epochs": {"selected": 3, "last": epochs - 1},
        "selected_weights": "ema", "steps": 15 * epochs,
        "cost": {"seconds": 12.3, "gpu_hours": 0.0, "peak_memory_mb": 410.0},
        "numerics": {"device": "cpu", "threads": 1, "compile": False, "deterministic": True},
        "versions": {"torch": "2.14.1", "numpy": "2.4.6"}, "git": {"sha": "a" * 40, "dirty": None},
        "host": "node", "started": "2026-11-24T00:00:00Z", "command": ["sweep.py", f"seed={seed}"],
    })  # fmt: skip
    return record.trial_id


def naive(runs: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    trials, epochs = [], []
    for folder in sorted(path for path in runs.iterdir() if (path / "result.json").exists()):
        recipe = json.loads((folder / "recipe.json").read_text())["recipe"]
        result = json.loads((folder / "result.json").read_text())
        trials.append(pd.json_normalize({**recipe, **result}))
        rows = pd.read_json(folder / "metrics.jsonl", lines=True)
        epochs.append(rows.assign(trial_id=folder.name))
    return pd.concat(trials), pd.concat(epochs)


def cpu(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def measured(prepare: Callable[[], object], runs: Path) -> list[float]:
    """Return the CPU seconds of each round."""
    taken = []
    for _ in range(ROUNDS):
        prepare()
        taken.append(cpu(lambda: analysis.load(runs)))
    return taken


def main() -> list[Row]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        runs = Path(name)
        for seed in range(arguments.trials):
            write_trial(runs, seed, arguments.epochs, 97.0)

        def forget() -> None:
            shutil.rmtree(runs / cache.CACHE_FOLDER, ignore_errors=True)

        def change() -> None:
            for seed in range(10):
                write_trial(runs, seed, arguments.epochs, 96.0)

        what = f"gather: {arguments.trials} trials of {arguments.epochs} epochs"
        cold = measured(forget, runs)
        rows = [
            row_of(f"{what}, cold", cold, "CPU s"),
            row_of(f"{what}, no change", measured(lambda: None, runs), "CPU s"),
            row_of(f"{what}, ten changed", measured(change, runs), "CPU s"),
        ]
        plain = cpu(lambda: naive(runs))
        return [*rows, ratio_of(f"{what}, against pandas", cold, [plain] * ROUNDS, "naive pandas")]


if __name__ == "__main__":
    print(to_markdown(main()))
