"""Digits of scikit-learn: the data set that needs no download."""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from clip_hparam.data.dataset import (
    TEST,
    TRAIN,
    EvalSet,
    ImageArray,
    ImageDataset,
    split_off_test,
)

DIGIT_SIDE = 32  # px; 8 px enlarged, so that a crop can fall between two of the original pixels


@cache
def load_digits() -> ImageDataset:
    """Return 1,797 handwritten digits, shape (n, 1, 32, 32); half of each class is the test set.

    They are read from the file that scikit-learn installs, without importing scikit-learn (1 s).
    """
    table = np.loadtxt(_digits_file(), delimiter=",", dtype=np.int64)
    small = np.round(table[:, :-1].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    images = np.stack([_upsample(digit) for digit in small])[:, None]
    labels = table[:, -1]
    train, test = split_off_test(labels, 0.5)
    return ImageDataset(
        classes=tuple("0123456789"),
        train=images[train],
        train_labels=labels[train],
        eval_sets={TEST: EvalSet(images[test], labels[test])},
        fingerprint=hashlib.sha256(
            images.tobytes() + labels.tobytes() + test.tobytes()
        ).hexdigest(),
        sources={TRAIN: "scikit-learn's digits", TEST: "scikit-learn's digits, half of each class"},
    )


def _upsample(digit: ImageArray) -> ImageArray:
    return np.asarray(Image.fromarray(digit).resize((DIGIT_SIDE,) * 2, Image.Resampling.BICUBIC))


def _digits_file() -> Path:
    spec = find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "data.name=digits needs scikit-learn, which ships them: pip install scikit-learn"
        )
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
