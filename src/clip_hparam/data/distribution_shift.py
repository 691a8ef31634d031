"""Images of the same classes from elsewhere (`data.shift`): how far does an accuracy carry?

Nothing trains on them, and they select no epoch. One fixed half may be searched for, the other is
tested on, as with the images that they stand beside. No torch here, as in images.py.
"""

import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import Data
from clip_hparam.data.dataset import (
    TEST_SPLIT_SEED,
    EvalSet,
    ImageDataset,
    ImageFiles,
    split_off_test,
)
from clip_hparam.data.file_index import index_folder
from clip_hparam.data.image_folder import classes_of, files_of, labels_of

PRINTED_PER_CLASS = 40  # images a class


def with_shift(source: ImageDataset, data: Data) -> ImageDataset:
    """The source with what `data.shift` names, and a fingerprint of both.

    Raises ValueError for images that do not go with it, FileNotFoundError for missing ones.
    """
    if data.shift == "printed":
        if data.name != "digits":
            raise ValueError(
                f"data.shift=printed shows printed digits, and data={data.name} does not ask for"
                " digits: try data.shift=folder data.shift_root=PATH"
            )
        shifted, fingerprint = _render_printed()
    else:
        shifted, fingerprint = _read_folder(_shift_root(source, data), source.classes)
    both = hashlib.sha256(f"{source.fingerprint} {fingerprint}".encode()).hexdigest()
    return replace(source, shifted=shifted, fingerprint=both)


@cache
def _render_printed() -> tuple[EvalSet, str]:
    """Digits in the typefaces that the tiny CLIP never saw, in colour, warped and noisy."""
    from clip_hparam.model.tiny_clip.captions import CHARACTERS
    from clip_hparam.model.tiny_clip.glyphs import render_glyph
    from clip_hparam.model.tiny_clip.typefaces import HELD_OUT_FACES

    first = CHARACTERS.index("0")
    labels = np.repeat(np.arange(10), PRINTED_PER_CLASS)
    places = len(CHARACTERS) * np.tile(np.arange(PRINTED_PER_CLASS), 10) + first + labels
    drawn = [render_glyph(TEST_SPLIT_SEED, int(place), HELD_OUT_FACES).image for place in places]
    images = np.stack(drawn).transpose(0, 3, 1, 2).copy()
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    return EvalSet(images, labels, *split_off_test(labels, 0.5)), digest


def _shift_root(source: ImageDataset, data: Data) -> Path:
    if not isinstance(source.pool, ImageFiles):
        raise ValueError(
            f"data.shift=folder goes with images on disk, and data={data.name} is in memory: try"
            " data.shift=printed"
        )
    root = Path(data.shift_root).expanduser()
    if not data.shift_root or not root.is_dir():
        said = f"data.shift_root={data.shift_root} is not a folder"
        problem = said if data.shift_root else "data.shift_root is not set"
        raise FileNotFoundError(
            f"{problem}: type data.shift=folder data.shift_root=PATH, where PATH holds folders"
            f" named like {source.classes[0]}"
        )
    return root.resolve()


@cache
def _read_folder(root: Path, classes: tuple[str, ...]) -> tuple[EvalSet, str]:
    """Class folders by the names of the classes that are trained on, of which some may be missing.

    Raises ValueError for a folder that names no class, and for fewer than two images of one.
    """
    listed = index_folder(root)
    for name in classes_of(root, listed):
        if name not in classes:
            raise ValueError(
                f"{root / name} is no class of the images trained on: {suggest(name, classes)}"
            )
    labels = labels_of(listed, classes)
    for name, count in zip(classes, np.bincount(labels, minlength=len(classes)), strict=True):
        if count == 1:
            raise ValueError(
                f"{root / name} holds one image, and a class needs two: one for the test"
            )
    return EvalSet(files_of(root, listed), labels, *split_off_test(labels, 0.5)), listed.fingerprint
