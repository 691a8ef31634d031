"""Write folders of small JPEG files in the layouts of data sets."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from clip_hparam.data.folders.class_subset import LISTS


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


def imagenet100(root: Path, train: int = 23) -> Path:
    """Write the classes of data.subset=imagenet100 and one more: links to one image of each part.

    train: images of each class; a batch of 2,048 needs 23.
    """
    names = LISTS["imagenet100"].read_text().splitlines()
    wnids = [name for name in names if not name.startswith("#")] + ["n01440764"]
    grow(root, {f"{part}/{wnids[0]}": 1 for part in ("train", "val")})
    for part, count in (("train", train), ("val", 1)):
        first = root / part / wnids[0] / "0.JPEG"
        for wnid in wnids:
            (root / part / wnid).mkdir(exist_ok=True)
            for number in range(count):
                if not (root / part / wnid / f"{number}.JPEG").exists():
                    (root / part / wnid / f"{number}.JPEG").hardlink_to(first)
    return root


def imagenet(root: Path, train: int = 6, val: int = 2) -> Path:
    """Write three classes in ImageNet's layout; train and val are images per class."""
    wnids = ("n01440764", "n02084071", "n01443537")
    parts = {"train": train, "val": val}
    return grow(root, {f"{part}/{wnid}": parts[part] for part in parts for wnid in wnids})
