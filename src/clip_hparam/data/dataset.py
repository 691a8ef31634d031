"""Images, labels and evaluation sets of a loaded data set.

Imports no torch: planning reads labels and fingerprints, and never decodes an image.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from clip_hparam.records.atomic import sha256_of

ImageArray = NDArray[np.uint8]
Labels = NDArray[np.int64]
Indices = NDArray[np.int64]
TRAIN, SELECTION, TEST = "train", "selection", "test"
SELECTION_SHIFT, TEST_SHIFT = "selection_shift", "test_shift"  # halves of data.shift
SELECTION_SETS = (SELECTION, SELECTION_SHIFT)
"""Evaluation sets that a search may optimise."""
TEST_SPLIT_SEED = 20221212  # day of arXiv 2212.06138; changing it changes every fixed test set


class FileFacts(NamedTuple):
    """Facts that show if a file has changed, or if two paths are one file; zeros: missing.

    size: bytes. modified: ns. device, inode: two images that share both are one file.
    """

    size: int = 0
    modified: int = 0
    device: int = 0
    inode: int = 0


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Paths of images on disk.

    paths: bytes relative to the root, shape (n,); one array, which forked workers share.
    official: they are read as ImageNet's official code reads them, see `reading.image.read_image`.
    border: px that are cut off at each side, as ObjectNet's evaluation demands.
    """

    root: Path
    paths: NDArray[np.bytes_]
    official: bool = False
    border: int = 0

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: Indices) -> Self:
        return replace(self, paths=self.paths[index])

    def path(self, index: int) -> Path:
        """Return the full path of one image, which is also its name in messages."""
        return self.root / os.fsdecode(bytes(self.paths[index]))

    def content(self, index: int) -> bytes | None:
        """Return the bytes of an image that is part of a larger file; None: it is a file."""
        return None

    def facts(self) -> Sequence[FileFacts]:
        """Return the facts about each image, as they are now."""
        return [file_facts(self.path(index)) for index in range(len(self))]

    def digest(self, index: int) -> str:
        """Return the SHA-256 of the bytes of an image. Raises OSError, UnreadableImageError."""
        content = self.content(index)
        return (
            sha256_of(self.path(index)) if content is None else hashlib.sha256(content).hexdigest()
        )


def file_facts(path: Path) -> FileFacts:
    """Return the facts about a file."""
    try:
        stat = path.stat()
    except OSError:
        return FileFacts()
    return FileFacts(stat.st_size, stat.st_mtime_ns, stat.st_dev, stat.st_ino)


Images = ImageArray | ImageFiles
"""In memory, uint8, shape (n, channels, height, width), 1 or 3 channels; or files."""


@dataclass(frozen=True, eq=False)
class EvalSet:
    """Labelled images that a model is evaluated on.

    allowed_classes: bool, shape (classes,), the classes that a prediction may be; None: all.
    class_groups: int64, shape (classes,), the class of the set that each class of the model counts
        as, -1 for one that is not predicted; `labels` are then classes of the set. None: as they
        are.
    class_names: of the set, where they are not those of the data set.
    zero_shot: the classes are predicted by CLIP's text tower from `class_names`, not by the head.
    fingerprint: sha256 of a set of the driver key `eval_sets`.
    """

    images: Images
    labels: Labels
    allowed_classes: NDArray[np.bool_] | None = None
    class_groups: NDArray[np.int64] | None = None
    class_names: tuple[str, ...] = ()
    zero_shot: bool = False
    fingerprint: str = ""


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Images to train and select on, and the evaluation sets, which are the same for every seed.

    classes: their names; a label is an index into this tuple.
    eval_sets: by the prefix of their metric columns; TEST is always among them. SELECTION is among
        them if the data set has a selection set of its own (data.selection=0).
    fingerprint: sha256 of the content or of the file index, in hex.
    selection_fingerprint: that of the selection set, empty if there is none.
    sources: where the sets come from, by name ("train", SELECTION, TEST), for people.
    notes: sentences for people about choices that they may not expect.
    skipped: names of unreadable training files that are left out (data.on_error=skip).
    """

    classes: tuple[str, ...]
    train: Images
    train_labels: Labels
    eval_sets: Mapping[str, EvalSet]
    fingerprint: str
    selection_fingerprint: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def test(self) -> EvalSet:
        return self.eval_sets[TEST]


def split_off_test(labels: Labels, share: float) -> tuple[Indices, Indices]:
    """Return sorted indices of the training images and of the test images, the same for every seed.

    share: part of each class that goes to the test set, in (0, 1); at least one image of a class.
    """
    generator = np.random.Generator(np.random.Philox(TEST_SPLIT_SEED))
    members = [
        generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)
    ]
    test = np.concatenate([member[: max(1, int(share * len(member)))] for member in members])
    return np.setdiff1d(np.arange(len(labels)), test), np.sort(test)
