"""Evaluation sets that are made on the spot: corrupted test images, and printed glyphs."""

import hashlib
from functools import cache

import numpy as np

from clip_hparam.data.dataset import (
    TEST_SPLIT_SEED,
    EvalSet,
    ImageArray,
    ImageDataset,
    Indices,
    Labels,
)
from clip_hparam.data.evaluation_sets.corruptions import KINDS, corrupt
from clip_hparam.model.tiny_clip.captions import CHARACTERS

MAX_CORRUPTED = 1_000  # test images a severity, evenly spaced: 0.3 s of a core
GLYPHS_PER_CHARACTER = 10


def load_corrupted(dataset: ImageDataset, severity: int) -> EvalSet:
    """Return test images of a data set in memory, each with one of the corruptions in turn.

    Raises: ValueError for images in files.
    """
    test = dataset.test
    if not isinstance(test.images, np.ndarray):
        raise ValueError(
            "eval_sets=[corruptions] corrupts images in memory, and these are in files: try"
            " eval_sets=[NAME:PATH] with a folder of corrupted images, such as ImageNet-C's"
        )
    spacing = -(-len(test.labels) // MAX_CORRUPTED)
    index = np.arange(0, len(test.labels), spacing)
    images, fingerprint = _corrupted(dataset, severity, spacing)
    groups = np.arange(len(dataset.classes))
    return EvalSet(
        *(images, test.labels[index]),
        class_groups=groups,
        class_names=dataset.classes,
        fingerprint=fingerprint,
    )


@cache
def _corrupted(dataset: ImageDataset, severity: int, spacing: int) -> tuple[ImageArray, str]:
    """Return the corrupted images, shape (n, 3, height, width), and their sha256."""
    images = dataset.test.images
    assert isinstance(images, np.ndarray)
    kinds = list(KINDS)
    chosen = range(0, len(images), spacing)
    corrupted = np.stack(
        [
            corrupt(images[index], kinds[i % len(kinds)], severity, _generator(severity, index))
            for i, index in enumerate(chosen)
        ]
    )
    return corrupted, _sha256(corrupted, dataset.test.labels[list(chosen)])


def _generator(severity: int, index: int) -> np.random.Generator:
    key = np.array([TEST_SPLIT_SEED, severity * 2**32 + index], np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


@cache
def load_glyphs() -> EvalSet:
    """Return the 62 printed characters in typefaces held out from tiny CLIP, (620, 3, 32, 32).

    They are what tiny CLIP was pre-trained on, and its text tower names them.
    """
    from clip_hparam.model.tiny_clip.glyphs import render_glyph  # lazy: matplotlib, 0.1 s
    from clip_hparam.model.tiny_clip.typefaces import HELD_OUT_FACES

    indices: Indices = np.arange(GLYPHS_PER_CHARACTER * len(CHARACTERS))
    rendered = [render_glyph(TEST_SPLIT_SEED, int(i), HELD_OUT_FACES).image for i in indices]
    images = np.stack(rendered).transpose(0, 3, 1, 2).copy()
    labels: Labels = indices % len(CHARACTERS)
    return EvalSet(
        *(images, labels),
        class_names=tuple(CHARACTERS),
        zero_shot=True,
        fingerprint=_sha256(images, labels),
    )


def _sha256(images: ImageArray, labels: Labels) -> str:
    return hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
