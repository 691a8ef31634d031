"""Write synthetic records with known values, in the format of the trial code, without training."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from clip_hparam import analysis
from clip_hparam.config.identity import canonical, label, trial_id
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.records.atomic import write_json
from clip_hparam.records.record import Record

Edit = Callable[[Path, Callable[[dict[str, Any]], Any]], None]  # (JSON file, change to its tree)

SEEDS, IMAGES = range(5), 1597
LABELS = np.random.default_rng(1).integers(10, size=IMAGES).astype(np.uint8)
RESOLVED = {
    "encoder.weights": "ab" * 32,
    "encoder.pixels": "clip",
    "data.fingerprint": "cd" * 32,
    "data.epoch_images": 750,
    "resolution": 32,
    "augment_backend": "tensor",
    "mix_pairs": "mirrored",
}
RUNGS: dict[str, dict[str, Any]] = {
    "baseline": {"lr": 6e-3, "mixup": 0.8, "cutmix": 1.0},
    "lower_lr": {"lr": 1e-3},
    "ema": {"ema_decay": 0.98},
    "llrd": {"layer_decay": 0.65, "lr": 6e-3},
    "fewer_epochs": {"epochs": 10, "ema_decay": 0.96},
    "weak_aug": {"mixup": 0.0, "cutmix": 0.0},
    "higher_resolution": {"resolution": 48},
}
MEANS = dict(zip(RUNGS, (94.7, 97.0, 97.2, 97.6, 97.4, 97.9, 98.3), strict=True))


def numbers(acc1: float, ema: bool) -> dict[str, float | None]:
    """Return metrics with another value in each column, so that tests detect a wrong column."""
    metrics: dict[str, float | None] = {}
    shift = {("test", "selected"): 0.0, ("test", "last"): -0.3, ("selection", "selected"): 0.5}
    for split in ("test", "selection"):
        for weights in ("raw", "ema"):
            for rule in ("selected", "last", "best"):
                known = weights == "raw" or ema
                below = 0.9 if ema and weights == "raw" else 0.0
                offset = shift.get((split, rule), 0.1) - below
                key = f"{weights}.{rule}"
                metrics[f"{split}_acc1.{key}"] = acc1 + offset if known else None
                metrics[f"{split}_acc5.{key}"] = 99.5 if known else None
                metrics[f"{split}_loss.{key}"] = 0.4 - offset / 10 if known else None
    return {**metrics, "test_acc1.zero_shot": 41.2}


def bits(acc1: float, seed: int, ema: bool) -> dict[str, Any]:
    """Return the arrays of correct.npz; seeds share most of the correct images."""
    hardness = np.random.default_rng(0).normal(size=IMAGES)
    hardness += 0.5 * np.random.default_rng(seed + 1).normal(size=IMAGES)
    rank = np.argsort(np.argsort(hardness)) / IMAGES
    shares = {"raw": acc1 - 0.9, "ema": acc1} if ema else {"raw": acc1}
    correct = {f"acc1.{name}.selected": rank < share / 100 for name, share in shares.items()}
    classes = {"labels": LABELS, "classes": np.array(list("0123456789"))}
    packed = {name: np.packbits(mask) for name, mask in correct.items()}
    return {"n": IMAGES, **classes, **packed}


@dataclass
class Runs:
    """A runs folder that records are written into."""

    folder: Path
    git: dict[str, Any] = field(default_factory=lambda: {"sha": "a" * 40, "dirty": None})

    def recipe(self, values: dict[str, Any], seed: int) -> Recipe:
        """Return the resolved recipe with these knobs."""
        return with_values(Recipe(), {**RESOLVED, **values, "seed": seed})

    def planned(self, values: dict[str, Any], seed: int = 0) -> Record:
        """Write the record of a queued trial."""
        return self.plan(self.recipe(values, seed))

    def plan(self, recipe: Recipe) -> Record:
        """Write the record of a queued trial of a resolved recipe."""
        record = Record(self.folder, trial_id(recipe))
        record.write_recipe(canonical(recipe), label(recipe))
        record.write_status("queued")
        return record

    def done(self, values: dict[str, Any], seed: int, acc1: float, **facts: Any) -> Record:
        """Write the record of a finished trial whose reported test accuracy is `acc1`.

        facts: keys of result.json that replace the default ones.
        """
        return self.finish(self.recipe(values, seed), acc1, **facts)

    def finish(self, recipe: Recipe, acc1: float, **facts: Any) -> Record:
        """Write the record of a finished trial of a resolved recipe, as `done` does."""
        record = self.plan(recipe)
        seed = recipe.seed
        ema = float(recipe.ema_decay) > 0
        epochs = int(recipe.epochs)
        rows = [epoch_row(epoch, epochs, acc1, ema) for epoch in range(epochs)]
        record.write_rows(rows)
        accuracies = [row[f"selection_acc1.{'ema' if ema else 'raw'}"] for row in rows]
        np.savez(record.folder / "correct.npz", **bits(acc1, seed, ema))
        result = {
            "metrics": numbers(acc1, ema),
            "epochs": {"selected": int(np.argmax(accuracies)), "last": epochs - 1},
            "selected_weights": "ema" if ema else "raw",
            "steps": 15 * epochs,
            "cost": {"seconds": 0.6 * epochs * (int(recipe.resolution) / 32) ** 2 + 0.1 * seed,
                     "gpu_hours": 0.0, "peak_memory_mb": 410.0},
            "numerics": {"device": "cpu", "threads": 1},
            "versions": {"torch": "2.14.1"},
            "git": self.git,
            "command": ["sweep.py", "-m", "sweeps=ladder"],
        }  # fmt: skip
        record.write_result({**result, **facts})
        return record

    def sweep(
        self, name: str, cells: dict[str, dict[str, Any]], seeds: range | list[int] = SEEDS
    ) -> None:
        """Write the manifest of a sweep (no trials), newer than all manifests before."""
        tree = {
            "schema": 1,
            "sweep_id": f"{name}-{len(list(self.folder.glob('.sweeps/*')))}",
            "name": name,
            "kind": "ladder",
            "created": f"2026-11-24T00:00:{len(list(self.folder.glob('.sweeps/*'))):02}Z",
            "cells": [
                {
                    "label": cell,
                    "overrides": [f"{key}={value}" for key, value in values.items()],
                    "trials": {str(seed): trial_id(self.recipe(values, seed)) for seed in seeds},
                }
                for cell, values in cells.items()
            ],
        }
        write_json(self.folder / ".sweeps" / f"{tree['sweep_id']}.json", tree)

    def frames(self) -> analysis.Frames:
        """Load the folder."""
        return analysis.load(self.folder)


class Ladder(NamedTuple):
    """A runs folder with a ladder."""

    runs: Runs
    truth: dict[str, dict[int, float]]  # rung -> seed -> reported accuracy


def epoch_row(epoch: int, epochs: int, acc1: float, ema: bool) -> dict[str, Any]:
    """Return an epoch of a learning curve; the EMA starts below raw and falls at the end."""
    done = (epoch + 1) / epochs
    raw = acc1 - 60 * float(np.exp(-6 * done)) - 0.9 * ema + 0.4 * float(np.sin(9 * epoch))
    slow = acc1 - 90 * float(np.exp(-7 * done)) - 1.5 * max(0.0, done - 0.66)
    row = {
        "epoch": epoch,
        "step": 15 * (epoch + 1),
        "lr": 1e-3 * (1 - done),
        "train_loss": 1 - done,
    }
    return {**row, "selection_acc1.raw": raw, **({"selection_acc1.ema": slow} if ema else {})}


def ladder_cells() -> dict[str, dict[str, Any]]:
    """Return the knobs of each rung; a rung keeps the changes of the rungs before."""
    cells: dict[str, dict[str, Any]] = {}
    values: dict[str, Any] = {}
    for rung, change in RUNGS.items():
        values = {**values, **change}
        cells[rung] = values
    return cells


def write_ladder(runs: Runs, skip: tuple[tuple[str, int], ...] = ()) -> dict[str, dict[int, float]]:
    """Write 7 rungs x 5 seeds with a seed effect; return rung -> seed -> reported accuracy."""
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.25, len(SEEDS))
    truth: dict[str, dict[int, float]] = {}
    for rung, values in ladder_cells().items():
        noise = rng.normal(0, 1.2 if rung == "baseline" else 0.12, len(SEEDS))
        truth[rung] = {}
        for seed in SEEDS:
            if (rung, seed) not in skip:
                acc1 = round(float(MEANS[rung] + shared[seed] + noise[seed]), 4)
                runs.done(values, seed, acc1)
                truth[rung][seed] = acc1
    runs.sweep("ladder", ladder_cells())
    return truth
