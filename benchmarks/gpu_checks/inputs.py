"""Recipes, images and models of the checks: a tiny CLIP, and towers of real size at random."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.transforms.mixup import soft_targets
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.device.numerics import numerics_of
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.train_state import TrainState
from gpu_checks.check import Setup

NAMES = ("a", "b", "c", "d")  # of the classes of the generated images
B16, L14, TINY = "ViT-B-16-quickgelu", "ViT-L-14-quickgelu", "tiny"
DIGITS = {
    "batch_size": 16,
    "epochs": 2,
    "data.epoch_images": 16 * 30,
    "data.selection": 2.0,
    "warmup": 0.0,
    "lr": 1e-3,
    "head_init_scale": 1.0,
    "layer_decay": 0.65,
    "ema_decay": 0.9,
    "drop_path": 0.2,
}


def tiny_recipe(**knobs: Any) -> ResolvedRecipe:
    """Return a recipe of the tiny CLIP on images in memory."""
    return resolve(with_values(Recipe(), {**DIGITS, **knobs}))


def folder_recipe(setup: Setup, name: str, resolution: int, **knobs: Any) -> ResolvedRecipe:
    """Return a recipe of a tower with random weights on generated JPEG files."""
    values = {
        **DIGITS,
        "encoder.name": name,
        "encoder.pretrained": "random",
        "resolution": resolution,
        "data.name": "folder",
        "data.root": str(jpeg_folder(setup)),
        "data.shots": 0,
        "data.selection": 0.25,
    }
    return resolve(with_values(Recipe(), {**values, **knobs}))


def jpeg_folder(setup: Setup) -> Path:
    """Return a folder of JPEG files, which is written once: photograph-sized for a GPU."""
    root = setup.folder / "images"
    if not root.exists():
        per_class, size = (64, (500, 375)) if setup.on_gpu else (6, (64, 48))
        write_jpegs(root, per_class, size)
    return root


def write_jpegs(root: Path, per_class: int, size: tuple[int, int]) -> None:
    """Write training and test images with coarse and fine structure. size: width and height."""
    generator = np.random.default_rng(0)
    width, height = size
    for part in ("train", "test"):
        for name in NAMES:
            (root / part / name).mkdir(parents=True)
            for number in range(per_class):
                coarse = generator.integers(0, 256, (height // 16, width // 16, 3), np.uint8)
                levels = np.asarray(Image.fromarray(coarse).resize(size)).astype(np.int16)
                levels += generator.integers(-12, 13, levels.shape, np.int16)
                picture = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
                picture.save(root / part / name / f"{number}.jpg", quality=90)


def machine_of(device: torch.device, **settings: Any) -> Machine:
    return Machine(**{"device": device.type, "micro_batch": 0, **settings})


def state_of(
    recipe: ResolvedRecipe, device: torch.device, classes: int = 10, **settings: Any
) -> TrainState:
    """Return a model that is ready to train, as a trial creates it.

    The model of a recipe has the same weights at each call; torch's precision of fp32 products is
    set as the recipe asks.

    Raises: UnsupportedMachineError if the device lacks the precision.
    """
    machine = machine_of(device, **settings)
    numerics_of(recipe, machine).apply()
    state = create_train_state(recipe, machine, create_model(recipe, classes))
    state.schedule[:] = recipe.lr
    state.model.train()
    return state


def spec_of(recipe: ResolvedRecipe, runs: Path, device: torch.device, **settings: Any) -> TrialSpec:
    machine = Machine(**{"runs": str(runs), "device": device.type, **settings})
    return TrialSpec(recipe, machine, keep_checkpoints="last")


def draw_batch(
    images: int, resolution: int, classes: int, device: torch.device, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Return images and soft targets on the device, drawn on the CPU."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randn(images, 3, resolution, resolution, generator=generator)
    labels = torch.randint(classes, (images,), generator=generator)
    return pixels.to(device), soft_targets(labels, classes, 0.1).to(device)
