"""What a data set is once it is found: images in memory or on disk, labels, and a fingerprint.

No torch here: planning a sweep reads labels and fingerprints, never pixels through a framework.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ImageArray = NDArray[np.uint8]
Labels = NDArray[np.int64]
Indices = NDArray[np.int64]
TEST_SPLIT_SEED = (
    20221212  # the day of arXiv 2212.06138; fixes which images are the test set for ever
)


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Images on disk: a root, and paths below it as bytes, which workers share without copying."""

    root: Path
    paths: NDArray[np.bytes_]

    def __len__(self) -> int:
        return len(self.paths)

    def path(self, index: int) -> Path:
        return self.root / os.fsdecode(bytes(self.paths[index]))


Images = ImageArray | ImageFiles
"""In memory, uint8, shape (n, channels, height, width); or files."""


@dataclass(frozen=True, eq=False)
class EvalSet:
    """Images of the same classes from elsewhere; two halves of their indices."""

    images: Images
    labels: Labels
    selection: Indices
    test: Indices


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Images and labels to train and select on, and those to test on."""

    classes: tuple[str, ...]
    pool: Images
    labels: Labels
    test: Images
    test_labels: Labels
    fingerprint: str
    shifted: EvalSet | None = None


def split_off_test(labels: Labels, share: float) -> tuple[Indices, Indices]:
    """Indices of the pool and of the test set: a share of each class, at least one image.

    The same for every seed.
    """
    generator = np.random.Generator(np.random.Philox(TEST_SPLIT_SEED))
    members = [
        generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)
    ]
    test = np.concatenate([member[: max(1, int(share * len(member)))] for member in members])
    return np.setdiff1d(np.arange(len(labels)), test), np.sort(test)
