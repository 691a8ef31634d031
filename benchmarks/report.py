"""Cost of a report: 1,000 trials of 50 epochs, a search of 900 and a grid of 20 cells x 5 seeds.

    python benchmarks/report.py [--trials 1000]

Prints CPU seconds of the whole command with imports, and the size of the page.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from gather import write_trial
from rows import Row, row_of, to_markdown

from clip_hparam.records.atomic import write_json

CELLS, SEEDS, EPOCHS = 20, 5, 50


def write_grid(runs: Path) -> None:
    cells = []
    for number in range(CELLS):
        lr = 1e-3 * (number + 1)
        ids = {
            str(seed): write_trial(runs, seed, EPOCHS, 95 + number / 10 + seed / 20, lr=lr)
            for seed in range(SEEDS)
        }
        cells.append({"label": f"lr={lr:g}", "overrides": [f"lr={lr:g}"], "trials": ids})
    write_manifest(runs, "lr", "grid", cells)


def write_search(runs: Path, trials: int) -> None:
    draw, cells = np.random.default_rng(0), []
    for seed in range(trials):
        knobs = {
            "lr": float(10 ** draw.uniform(-4, -1)), "layer_decay": float(draw.uniform(0.4, 1)),
            "drop_path": float(draw.choice([0.0, 0.1, 0.2])), "mixup": float(draw.uniform(0, 1)),
        }  # fmt: skip
        right = 97 - 4 * abs(np.log10(knobs["lr"]) + 2.5) + float(draw.normal())
        trial_id = write_trial(runs, seed, EPOCHS, min(right, 100.0), **knobs)
        cells.append({"label": f"draw {seed}", "overrides": [], "trials": {str(seed): trial_id}})
    write_manifest(runs, "random", "random", cells)


def write_manifest(runs: Path, name: str, kind: str, cells: list[dict[str, Any]]) -> None:
    head = {"schema": 1, "sweep_id": name, "name": name, "kind": kind, "created": "2026"}
    write_json(runs / ".sweeps" / f"{name}.json", {**head, "cells": cells})


def main() -> list[Row]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1_000)
    trials = parser.parse_args().trials
    with tempfile.TemporaryDirectory() as name:
        runs, out = Path(name) / "runs", Path(name) / "results"
        runs.mkdir()
        write_grid(runs)
        write_search(runs, trials - CELLS * SEEDS)
        command = [sys.executable, "-m", "clip_hparam.analysis", "report"]
        command += ["--runs", str(runs), "--out", str(out)]
        started = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall = time.monotonic() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        size = (out / "report.html").stat().st_size / 1e6
        what = f"report: {trials} trials"
        figures = {"CPU s": used.ru_utime + used.ru_stime, "s": wall, "MB": size}
        return [row_of(f"{what}, {unit}", [value], unit) for unit, value in figures.items()]


if __name__ == "__main__":
    print(to_markdown(main()))
