"""Write the records of a study with known effects, without training."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.paths import campaign_folder, manifest_paths
from support.trial_factory import Runs, numbers

LEVELS: dict[str, tuple[Any, Any]] = {
    "lr": (3e-3, 1e-2),
    "layer_decay": (0.65, 0.85),
    "mixup": (0.0, 0.8),
    "crop_scale": (0.4, 0.8),
}
IMAGES = {"classes": 10, "train": 450, "selection": 200, "test": 1597, "skipped": 0}
SEARCHED = {"lr=0.003": 92.0, "lr=0.005": 93.5, "lr=0.007": 93.0}
RACE = {"start": 3, "max": 6, "step": 1, "first": 100}


def done(runs: Runs, values: Mapping[str, Any], seed: int, selection: float, test: float) -> None:
    """Write a finished trial with these two accuracies, in percent."""
    metrics = {**numbers(test, ema=False), "selection_acc1.raw.selected": selection}
    runs.done(dict(values), seed, test, metrics=metrics, images=IMAGES)


def write_manifest(
    runs: Runs,
    name: str,
    kind: str,
    cells: dict[str, dict[str, Any]],
    seeds: list[int],
    **more: Any,
) -> None:
    """Write the manifest of a sweep; `more` are further keys, such as its race."""
    before = set(manifest_paths(runs.folder))
    runs.sweep(name, cells, seeds)
    (path,) = set(manifest_paths(runs.folder)) - before
    write_json(path, {**(read_json(path) or {}), "kind": kind, **more})


def write_screening(runs: Runs, name: str = "small", seeds: Sequence[int] = (50, 51, 52)) -> None:
    """Write a full factorial of LEVELS.

    On the selection set only lr:layer_decay (-4 points) and mixup (+3) have an effect; on the test
    set crop_scale has one of 9 points, which must select nothing.
    """
    cells = {}
    for on in product((False, True), repeat=len(LEVELS)):
        chosen = dict(zip(LEVELS, on, strict=True))
        values = {knob: LEVELS[knob][is_on] for knob, is_on in chosen.items()}
        cells["+".join(knob for knob in LEVELS if chosen[knob]) or "none"] = values
        same = 1 if chosen["lr"] == chosen["layer_decay"] else -1
        selection = 80 - 2 * same + 3 * chosen["mixup"]
        for seed in seeds:
            noise = 0.1 * ((seed + 3 * len(cells)) % 7 - 3) + seed / 100
            done(runs, values, seed, selection + noise, 80 + 9 * chosen["crop_scale"])
    write_manifest(runs, f"{name}_screening", "fractional", cells, list(seeds))


def write_proof(runs: Runs, gains: Sequence[float], name: str = "small") -> None:
    """Write a race of one winner whose test accuracy is above the reference by `gains`."""
    cells: dict[str, dict[str, Any]] = {"reference": {}, "winner 1": {"lr": 5e-3}}
    seeds = [RACE["first"] + n for n in range(len(gains))]
    for seed, gain in zip(seeds, gains, strict=True):
        done(runs, cells["reference"], seed, 90.0, 91.0)
        done(runs, cells["winner 1"], seed, 90.5, 91.0 + gain)
    write_manifest(runs, f"{name}_proof", "list", cells, seeds, race=RACE)


def write_study(runs: Runs, gains: Sequence[float], name: str = "small") -> None:
    """Write all stages of a study and its decisions."""
    reference = {"reference": {}, "linear probe": {"freeze": "backbone"}}
    for label, values in reference.items():
        for seed in range(3):
            worth = 90 - 10 * (label == "linear probe") + seed / 10
            done(runs, values, seed, worth, worth + 1)
    write_manifest(runs, f"{name}_reference", "list", reference, [0, 1, 2])
    write_screening(runs, name)
    points = {label: {"lr": float(label.removeprefix("lr="))} for label in SEARCHED}
    for label, accuracy in SEARCHED.items():
        done(runs, points[label], 60, accuracy, accuracy)
    pruned = {"lr": 0.02}
    runs.planned(pruned, 60).write_status("pruned")
    write_manifest(runs, f"{name}_search", "search", {**points, "lr=0.02": pruned}, [60])
    write_proof(runs, gains, name)
    why = {"reference": "what there is to beat", "screening": "16 cells", "search": "4 points"}
    decisions = {stage: {"why": text} for stage, text in {**why, "proof": "3 to 6 seeds"}.items()}
    write_json(campaign_folder(runs.folder, name) / "decisions.json", decisions)
