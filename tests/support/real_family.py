"""Records of a real family: shipped designs as they are planned, with made-up results."""

import random
from collections.abc import Iterable
from pathlib import Path

from clip_hparam.config.recipe import Recipe
from clip_hparam.sweep.driver import save_manifest
from support import image_folders
from support.planned import planned_sweep
from support.trial_factory import Runs

COST = {"seconds": 19_000.0, "gpu_hours": 42.0, "peak_memory_mb": 31_000.0}


def write_sweeps(runs: Runs, family: str, designs: Iterable[str]) -> None:
    """Write finished trials of designs in a family, on a stand-in for ImageNet beside the runs."""
    root = runs.folder.parent / "imagenet"
    if not root.exists():
        image_folders.imagenet(root)
    words = ("encoder.pretrained=random", "data=imagenet", f"data.root={root}", f"family={family}")
    for design in designs:
        sweep = planned_sweep(
            f"sweeps={design}", *words, f"machine.runs={runs.folder}", cwd=Path(root.parent)
        )
        save_manifest(sweep)
        for plan in sweep.specs.values():
            recipe = plan.recipe
            share = recipe.epochs * (float(recipe.resolution) / 224) ** 2 / 50
            cost = {**COST, "gpu_hours": COST["gpu_hours"] * share}
            runs.finish(recipe, accuracy_of(recipe), cost=cost)


def accuracy_of(recipe: Recipe) -> float:
    """Return an accuracy near the published ones that differs from recipe to recipe."""
    generator = random.Random(repr(recipe))
    gain = 1.2 * (recipe.layer_decay < 1) + 0.9 * (float(recipe.resolution) > 224)
    return 83.5 + gain + 0.8 * (float(recipe.ema_decay) > 0) + generator.gauss(0, 0.15)
