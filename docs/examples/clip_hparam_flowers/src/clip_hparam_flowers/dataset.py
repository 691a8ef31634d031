"""A data set: drawn flowers of three colours, so that the example needs no download."""

import hashlib
from pathlib import Path

import numpy as np

from clip_hparam.data.dataset import TEST, EvalSet, ImageDataset, split_off_test
from clip_hparam.data.datasets import DatasetSpec

CLASSES = ("daisy", "poppy", "violet")
COLOURS = ((240, 240, 240), (220, 40, 30), (120, 60, 200))
SIZE, IMAGES_OF_A_CLASS = 32, 40


def load(root: Path) -> ImageDataset:
    """Return the images. A data set that reads files gets `data.root` here and sets `layout`."""
    generator = np.random.Generator(np.random.Philox(1))
    labels = np.repeat(np.arange(len(CLASSES)), IMAGES_OF_A_CLASS)
    images = np.stack([draw(COLOURS[label], generator) for label in labels])
    train, test = split_off_test(labels, 0.5)
    return ImageDataset(
        classes=CLASSES,
        train=images[train],
        train_labels=labels[train],
        eval_sets={TEST: EvalSet(images[test], labels[test])},
        fingerprint=hashlib.sha256(images.tobytes()).hexdigest(),
        sources={"train": "drawn flowers", TEST: "half of them"},
    )


def draw(colour: tuple[int, int, int], generator: np.random.Generator) -> np.ndarray:
    """Return a disc of a colour on grass, uint8, shape (3, SIZE, SIZE)."""
    image = generator.integers(30, 90, (3, SIZE, SIZE)).astype(np.uint8)
    image[1] += 60
    centre, radius = generator.integers(10, 22, 2), generator.integers(5, 9)
    y, x = np.ogrid[:SIZE, :SIZE]
    inside = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2
    image[:, inside] = np.array(colour, np.uint8)[:, None]
    return image


FLOWERS = DatasetSpec(load=load, prompts=lambda names: [[f"a photo of a {n}."] for n in names])
