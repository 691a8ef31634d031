"""Rendered characters "in the wild": 20 classes of 64 px, made on the spot and cached.

The typefaces are those that tiny CLIP was not pre-trained on, and the test images are other draws
than the training images. Nothing is downloaded: matplotlib installs the fonts.
"""

import hashlib
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import features

from clip_hparam.data.dataset import TEST, TRAIN, EvalSet, ImageArray, ImageDataset
from clip_hparam.records.atomic import open_atomic
from clip_hparam.records.user_cache import cache_folder

CLASSES = tuple("0123456789ABDEFGHKNR")
TRAIN_PER_CLASS = 400  # the pool that data.shots and data.selection draw from
TEST_PER_CLASS = 200
SECONDS_PER_IMAGE = 1.4e-3
TRAIN_SEED, TEST_SEED = 2_000_003, 2_000_029
RENDERING_VERSION = 1  # raise it when the pixels of scenes.py change


@cache
def load_characters() -> ImageDataset:
    """Return 8,000 images to train on and 4,000 to test on, shape (n, 3, 64, 64).

    They are rendered once (17 s of a core) and then read from the user's cache folder. The
    fingerprint is that of the pixels, which depend on the versions of Pillow and of the fonts.
    """
    train = _load_or_render(TRAIN_SEED, TRAIN_PER_CLASS * len(CLASSES))
    test = _load_or_render(TEST_SEED, TEST_PER_CLASS * len(CLASSES))
    digest = hashlib.sha256()
    for images in (train, test):
        digest.update(images.tobytes())
    return ImageDataset(
        classes=CLASSES,
        train=train,
        train_labels=np.arange(len(train)) % len(CLASSES),
        eval_sets={TEST: EvalSet(test, np.arange(len(test)) % len(CLASSES))},
        fingerprint=digest.hexdigest(),
        sources={TRAIN: "rendered characters", TEST: "rendered characters"},
    )


def render_characters(seed: int, indices: range) -> ImageArray:
    """Render the scenes at these indices, uint8, shape (n, 3, 64, 64); 1.4 ms each."""
    from clip_hparam.model.tiny_clip.scenes import render_scene  # lazy: matplotlib, 0.1 s
    from clip_hparam.model.tiny_clip.typefaces import HELD_OUT_FACES

    images = [render_scene(seed, index, CLASSES, HELD_OUT_FACES).image for index in indices]
    return np.stack(images).transpose(0, 3, 1, 2).copy()


def _load_or_render(seed: int, count: int) -> ImageArray:
    """Return the first `count` images of a seed; processes share the pages of the cached file."""
    libraries = [f"{name} {version(name)}" for name in ("numpy", "pillow", "matplotlib")]
    facts = (RENDERING_VERSION, seed, count, *libraries, features.version("freetype2"))
    name = hashlib.sha256(repr(facts).encode()).hexdigest()[:32]
    path = cache_folder().expanduser() / "characters" / f"{name}.npy"
    with suppress(OSError, ValueError, EOFError):  # missing, cut short, or empty
        return _map_file(path)
    _announce_rendering(path.parent)
    images = render_characters(seed, range(count))
    with suppress(OSError):  # a cache that cannot be written
        with open_atomic(path) as file:
            np.save(file, images)
        return _map_file(path)
    return images


@cache
def _announce_rendering(folder: Path) -> None:
    """Print once per process that images are being rendered."""
    total = (TRAIN_PER_CLASS + TEST_PER_CLASS) * len(CLASSES)
    print(
        f"data=characters: rendering {total:,} images, about {total * SECONDS_PER_IMAGE:.0f} s of a"
        f" core; this happens once, they are kept in {folder}",
        file=sys.stderr,
        flush=True,
    )


def _map_file(path: Path) -> ImageArray:
    images: ImageArray = np.load(path, mmap_mode="r")
    return images
