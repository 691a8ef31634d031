"""Folders of the same pictures in two forms, read as training, evaluation and shifts read them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.batches import Batches
from clip_hparam.data.datasets import load_dataset
from clip_hparam.planning.resolve import resolve
from support.cli import records, sweep

Picture = NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""
Write = Callable[[Path, Picture], None]
CLASSES = ("bright", "dark", "striped")
PER_CLASS = {"train": 8, "test": 4}
KNOBS = {"data.shots": 6, "data.selection": 2.0, "batch_size": 6}


def draw_picture(label: int, number: int) -> Picture:
    """Return a grey picture that is wider than high; its class is seen in its levels."""
    noise = np.random.default_rng((label, number)).integers(-20, 20, (24, 40), endpoint=True)
    levels = np.full((24, 40), (210, 50, 128)[label]) + noise
    if label == 2:
        levels[::4] -= 90
    return levels.clip(0, 255).astype(np.uint8)[..., None].repeat(3, 2)


def write_png(path: Path, picture: Picture) -> None:
    """Write a picture as 8-bit RGB, the form that has always been read right."""
    Image.fromarray(picture).save(path.with_suffix(".png"))


def write_folder(root: Path, write: Write) -> Path:
    """Write all pictures of train and test below a root."""
    for part, count in PER_CLASS.items():
        for label, name in enumerate(CLASSES):
            folder = root / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                write(folder / str(number), draw_picture(label, number + 100 * (part == "test")))
    return root


def resolve_folder(root: Path, shift: Path, data: str = "folder") -> ResolvedRecipe:
    """Return the recipe that trains on a folder and is evaluated on the test set of another."""
    values = {"data.name": data, "data.root": str(root), "data.shift": "folder"}
    return resolve(
        with_values(Recipe(), {**KNOBS, **values, "data.shift_root": str(shift / "test")})
    )


def read_all(root: Path, shift: Path) -> dict[str, Tensor]:
    """Return the pixels of an epoch of training and of each evaluation set."""
    recipe = resolve_folder(root, shift)
    batches = Batches(recipe, load_dataset(recipe.data))
    read = {name: batches.evaluation(name) for name in batches.eval_sets}
    return {
        name: torch.cat([images for images, _ in pairs])
        for name, pairs in {"train": batches.train(0), **read}.items()
    }


def assert_read_alike(plain: Path, other: Path) -> None:
    """Assert that two folders give the same pixels in training and in each evaluation set."""
    first, second = read_all(plain, plain), read_all(other, other)
    assert first.keys() == {"train", "selection", "test", "selection_shift", "test_shift"}
    for name, pixels in first.items():
        assert torch.equal(pixels, second[name]), name


def trained_metrics(root: Path, cwd: Path, note: str = "") -> dict[str, float]:
    """Train a trial on a folder by the command line and return its metrics.

    note: all that the command prints to stderr.
    """
    cwd.mkdir()
    knobs = [f"{name}={value}" for name, value in KNOBS.items()]
    done = sweep("data=folder", f"data.root={root}", *knobs, "epochs=3", "lr=1e-2", cwd=cwd)
    assert (done.code, done.err) == (0, note)
    (record,) = [one for one in records(cwd) if one.result()]
    metrics: dict[str, float] = (record.result() or {})["metrics"]
    return metrics
