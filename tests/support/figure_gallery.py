"""A runs folder with a sweep of each design, for tests that look at all figures."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from clip_hparam.records.atomic import read_json, write_json
from support.trial_factory import Runs, epoch_row, write_ladder

LEVELS: dict[str, tuple[Any, ...]] = {
    "lr": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
    "ema": (0.0, 0.8, 0.9, 0.95, 0.98, 0.99),
    "freeze": ("none", "patch", "first_2", "backbone"),
    "my_batch": (16, 32, 64, 128, 256),
}
KNOBS = {"lr": "lr", "ema": "ema_decay", "freeze": "freeze", "my_batch": "batch_size"}
NAMED = {
    "mixup and cutmix and random erasing": {"mixup": 0.8, "cutmix": 1.0},
    "$a_1$ & 50% <b>#1</b> ^~{x}": {"mixup": 0.3},
    "plain": {"mixup": 0.1},
}


def write_gallery(runs: Runs) -> None:
    """Write a sweep of each design, with seeds, a missing run, pruned trials and odd labels."""
    write_ladder(runs)
    for name, levels in LEVELS.items():
        cells = {f"{KNOBS[name]}={level}": {KNOBS[name]: level} for level in levels}
        _write(runs, name, "grid", cells, seeds=3, skip=name == "my_batch")
    grid = itertools.product((1e-4, 1e-3, 1e-2), (0.5, 0.65, 0.8, 1.0))
    pairs = {f"lr={lr},layer_decay={d}": {"lr": lr, "layer_decay": d} for lr, d in grid}
    _write(runs, "my_pairs", "grid", pairs, seeds=3)
    _write(runs, "named", "list", NAMED, seeds=2)
    _write(runs, "leave_one_out", "leave_one_out", {"full": {"epochs": 12}, **NAMED}, seeds=3)
    changes = {"baseline": {}, "lr=0.002": {"lr": 2e-3}, "mixup=0.5": {"mixup": 0.5}}
    _write(runs, "changes", "one_at_a_time", changes, seeds=4)
    signs = itertools.product((False, True), repeat=3)
    factors = {"lr": 2e-3, "ema_decay": 0.97, "label_smoothing": 0.0}
    both = {_factorial_label(factors, on): _chosen(factors, on) for on in signs}
    _write(runs, "factorial", "factorial", both, seeds=2)
    _write(runs, "tuned", "search", search_points(30), seeds=1, pruned=8)
    _write(runs, "one_seed", "grid", {f"lr={lr}": {"lr": lr} for lr in (2e-4, 2e-3)}, seeds=1)


def search_points(count: int) -> dict[str, dict[str, Any]]:
    """Return points of a search over five knobs, of three kinds of scale."""
    draw = np.random.default_rng(0)
    return {
        f"point {number}": {
            "lr": float(10 ** draw.uniform(-5, -2)),
            "layer_decay": float(draw.uniform(0.5, 1.0)),
            "weight_decay": float(draw.choice([0.0, 0.01, 0.05, 0.3])),
            "freeze": str(draw.choice(["none", "patch", "backbone"])),
            "label_smoothing": float(draw.choice([0.0, 0.1, 0.2])),
        }
        for number in range(count)
    }


def _write(
    runs: Runs,
    name: str,
    kind: str,
    cells: Mapping[str, Mapping[str, Any]],
    seeds: int,
    skip: bool = False,
    pruned: int = 0,
) -> None:
    """Write a sweep; `skip`: the last run is missing; the last `pruned` cells are pruned."""
    draw = np.random.default_rng(len(cells))
    for number, values in enumerate(cells.values()):
        for seed in range(seeds):
            acc1 = _accuracy(values) + 0.3 * float(draw.normal())
            acc1 = min(acc1, 99.6)
            if number >= len(cells) - pruned:
                record = runs.planned(dict(values), seed)
                record.write_rows([epoch_row(0, 20, acc1 - 3, False)])
                record.write_status("pruned")
            elif not (skip and number == len(cells) - 1 and seed == seeds - 1):
                runs.done(dict(values), seed, acc1)
    runs.sweep(name, {label: dict(values) for label, values in cells.items()}, range(seeds))
    path = next(runs.folder.glob(f".sweeps/{name}-*.json"))
    write_json(path, {**(read_json(path) or {}), "kind": kind})


def _accuracy(values: Mapping[str, Any]) -> float:
    """Return an accuracy near 100 % that depends on the knobs."""
    lost = abs(math.log10(values.get("lr", 1e-3) / 1.5e-3)) + values.get("mixup", 0.0)
    lost += 2 * abs(values.get("layer_decay", 0.7) - 0.7) - 0.5 * values.get("ema_decay", 0.0)
    return 97.9 - lost - 0.2 * len(str(values.get("freeze", "")))


def _factorial_label(factors: Mapping[str, Any], on: tuple[bool, ...]) -> str:
    chosen = [name for name, is_on in zip(factors, on, strict=True) if is_on]
    return "+".join(chosen) if chosen else "none"


def _chosen(factors: Mapping[str, Any], on: tuple[bool, ...]) -> dict[str, Any]:
    return {name: factors[name] for name, is_on in zip(factors, on, strict=True) if is_on}
