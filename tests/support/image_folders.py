"""Write folders of small JPEG files in the layouts of data sets."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def grow(root: Path, images: Mapping[str, int], suffix: str = ".JPEG") -> Path:
    """Write random images of different sizes.

    images: number of images by folder below the root.
    """
    generator = np.random.default_rng(0)
    for folder, count in images.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            height, width = generator.integers(20, 40, 2)
            pixels = generator.integers(0, 256, (height, width, 3), np.uint8)
            Image.fromarray(pixels).save(root / folder / f"{number}{suffix}", "JPEG")
    return root


def imagenet(root: Path, train: int = 6, val: int = 2) -> Path:
    """Write three classes in ImageNet's layout; train and val are images per class."""
    wnids = ("n01440764", "n02084071", "n01443537")
    parts = {"train": train, "val": val}
    return grow(root, {f"{part}/{wnid}": parts[part] for part in parts for wnid in wnids})
