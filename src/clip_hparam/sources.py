"""Where images come from: a training pool and a fixed test set, with a fingerprint of both.

No torch here: planning a sweep reads labels and fingerprints, never pixels through a framework.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip_hparam.knob import near
from clip_hparam.recipe import Data

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]
TEST_SEED = 20221212  # the day of arXiv 2212.06138; fixes which digits are the test set for ever


@dataclass(frozen=True)
class Source:
    """Images held in memory, uint8, shape (n, channels, height, width), and their labels."""

    classes: tuple[str, ...]
    pool: Pixels
    labels: Labels
    test: Pixels
    test_labels: Labels
    fingerprint: str


@cache
def digits() -> Source:
    """scikit-learn's 1,797 handwritten digits, 8 x 8, one channel; half of each class is the test.

    Read from the file that scikit-learn ships, without importing it (1 s).
    """
    path = _digits_file()
    table = np.loadtxt(path, delimiter=",", dtype=np.int64)
    pixels = np.round(table[:, :-1].reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)
    labels = table[:, -1]
    generator = np.random.Generator(np.random.Philox(TEST_SEED))
    members = [generator.permutation(np.flatnonzero(labels == digit)) for digit in range(10)]
    test = np.sort(np.concatenate([member[: len(member) // 2] for member in members]))
    pool = np.setdiff1d(np.arange(len(labels)), test)
    digest = hashlib.sha256(path.read_bytes() + str(TEST_SEED).encode()).hexdigest()
    classes = tuple("0123456789")
    return Source(classes, pixels[pool], labels[pool], pixels[test], labels[test], digest)


SOURCES: dict[str, Callable[[], Source]] = {"digits": digits}


def source(data: Data) -> Source:
    """Raises ValueError for a name that is not known, FileNotFoundError for missing images."""
    if data.name not in SOURCES:
        raise ValueError(f"unknown data.name={data.name}: {near(data.name, SOURCES)}")
    return SOURCES[data.name]()


def _digits_file() -> Path:
    spec = find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "data.name=digits needs scikit-learn, which ships them: pip install scikit-learn"
        )
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
