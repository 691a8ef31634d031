"""A folder of class folders: its files, their labels, and its identity."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from clip_hparam.data.dataset import ImageFiles, Labels
from clip_hparam.data.file_index import FileIndex, index_folder
from clip_hparam.data.folders.class_folders import classes_of, labels_of
from clip_hparam.data.reading.scan import HeaderScan, scan_headers


@dataclass(frozen=True)
class LabelledFolder:
    """An indexed folder and its class names.

    official: as for `reading.image.read_image`.
    """

    root: Path
    index: FileIndex
    classes: tuple[str, ...]
    official: bool

    @property
    def identity(self) -> str:
        """Sha256 of the paths and sizes, and of the reading rules where they change a file."""
        return self._scan.identify(self.index.fingerprint)

    @property
    def with_frames(self) -> tuple[str, ...]:
        """Return the paths with several frames or pages, of which the first is read."""
        return self._scan.with_frames

    @cached_property
    def _scan(self) -> HeaderScan:
        return scan_headers(self.root, self.index, self.official)

    @property
    def files(self) -> ImageFiles:
        return image_files(self.root, self.index, self.official)

    def labels(self, classes: tuple[str, ...]) -> Labels:
        """Return the position of each file's class in `classes`, int64, shape (n,)."""
        return labels_of(self.index, classes)


def read_labelled_folder(
    root: Path, official: bool = False, least: int = 2, only_classes: bool = False
) -> LabelledFolder:
    """Return an indexed folder.

    least: the number of classes that there must be. only_classes: as for `load_image_folder`.

    Raises: ValueError as `index_folder` and `classes_of` do.
    """
    index = index_folder(root)
    return LabelledFolder(root, index, classes_of(root, index, least, only_classes), official)


def image_files(root: Path, index: FileIndex, official: bool = False) -> ImageFiles:
    """Return the paths of an index as one array of bytes."""
    paths = np.array([os.fsencode(path) for path in index.paths], np.bytes_)
    return ImageFiles(root, paths, official)
