"""Searches without training: the records of their trials are computed from a formula."""

import math
from pathlib import Path
from typing import Any

from clip_hparam.config.identity import canonical, label
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.record import Record
from clip_hparam.search.objective import parse_objective
from clip_hparam.search.spec import SearchManifest, SearchSpec, search_manifest
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.outcome import TrialOutcome

EPOCHS = 9
SPACE = {
    "lr": ("tag(log, interval(1e-4, 1e-1))",),
    "layer_decay": ("interval(0.5, 1.0)",),
    "mixup": ("0", "interval(0.2, 1.0)"),
    "pool": ("patch_mean", "cls"),
}


def search_spec(runs: Path, **facts: Any) -> SearchSpec:
    """Return a search of 20 points over SPACE; `facts` are other values of its fields."""
    base = with_values(Recipe(), {"epochs": EPOCHS, "batch_size": 20})
    given: dict[str, Any] = {
        "name": "pretend",
        "study_name": "",
        "base": TrialSpec(base, Machine(runs=str(runs))),
        "overrides": (),
        "levels": SPACE,
        "when": {},
        "seeds": (0,),
        "goal": parse_objective("selection_acc1", None),
        "sampler": {"name": "tpe", "seed": 0},
        "pruner": {"name": "asha"},
        "n_trials": 20,
    }
    return SearchSpec(**{**given, **facts})


def create_search(runs: Path, **facts: Any) -> SearchManifest:
    """Write the manifest of a search and return it."""
    spec = search_spec(runs, **facts)
    manifest = search_manifest(spec)
    manifest.create_or_continue(spec)
    return manifest


def accuracy(recipe: Recipe) -> float:
    """Return the final accuracy in percent; best at lr=3e-3 and layer_decay=0.7."""
    off = abs(math.log10(recipe.lr / 3e-3)) + abs(recipe.layer_decay - 0.7)
    return 70 - 10 * off + recipe.seed / 100 + (20 if recipe.pool == "cls" else 0)


def rows(recipe: Recipe, epochs: int) -> list[dict[str, Any]]:
    """Return the first `epochs` rows of metrics.jsonl."""
    final = accuracy(recipe)
    return [
        {
            "epoch": epoch,
            "step": epoch + 1,
            "selection_acc1.raw": final - 20 / (epoch + 1),
            "selection_loss.raw": 1.0,
            "seconds": 2.0,
        }
        for epoch in range(epochs)
    ]


def train(job: TrialSpec, callback: TrialCallback) -> TrialOutcome:
    """Write the record of a trial epoch by epoch; stop where `callback` prunes it."""
    record = Record(job.machine.runs, job.trial_id)
    if (result := record.verified_result()) is not None:
        return TrialOutcome("done", result)
    record.write_recipe(canonical(job.recipe), label(job.recipe))
    epochs = int(job.recipe.epochs)
    for epoch in range(1, epochs + 1):
        record.write_rows(rows(job.recipe, epoch))
        if callback.on_epoch_end(rows(job.recipe, epoch)) and epoch < epochs:
            record.write_status("pruned")
            return TrialOutcome("pruned")
    final = accuracy(job.recipe)
    metrics = {"selection_acc1.raw.selected": final - 20 / epochs}
    cost = {"seconds": 2.0 * epochs, "peak_memory_mb": 100 + 100 * (job.recipe.pool == "cls")}
    result = {"selected_weights": "raw", "metrics": metrics, "cost": cost}
    record.write_result(result)
    return TrialOutcome("done", result)
