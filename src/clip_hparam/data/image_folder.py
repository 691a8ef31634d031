"""Images in class folders: ImageNet's tree, and any other."""

import hashlib
import os
import re
from functools import cache
from pathlib import Path

import numpy as np

from clip_hparam.data.dataset import (
    TEST_SPLIT_SEED,
    ImageDataset,
    ImageFiles,
    Labels,
    split_off_test,
)
from clip_hparam.data.file_index import IMAGE_SUFFIXES, FileIndex, index_folder

TEST_SHARE = 0.2  # of each class, where a folder has no test set of its own
WORDNET_ID = re.compile(r"n\d{8}")


@cache
def load_imagenet(root: Path) -> ImageDataset:
    """The usual tree: train/<wnid>/*.JPEG and val/<wnid>/*.JPEG; the test set is val.

    A class's index is its place among the sorted WordNet ids, as in the official index; a subset
    of the classes will do. Raises ValueError for a tree of another kind, FileNotFoundError for a
    missing part.
    """
    for part in ("train", "val"):
        if not (root / part).is_dir():
            raise FileNotFoundError(
                f"data.root={root} has no folder {part}: data=imagenet reads"
                " train/n01440764/*.JPEG and val/n01440764/*.JPEG"
            )
    source = _load_two_parts(root / "train", root / "val")
    for name in source.classes:
        if not WORDNET_ID.fullmatch(name):
            raise ValueError(
                f"{root / 'train' / name} is not named by a WordNet id such as n01440764:"
                " try data=folder"
            )
    return source


@cache
def load_image_folder(root: Path) -> ImageDataset:
    """Any images in class folders; the classes are the sorted names of the folders.

    With train and test (or else val) in the root, these are what they say. Without, a fixed fifth
    of each class is the test set, drawn from the sorted paths in train, or in the root itself.
    """
    train = root / "train"
    if not train.is_dir():
        return _load_and_split(root)
    tests = [root / part for part in ("test", "val") if (root / part).is_dir()]
    return _load_two_parts(train, tests[0]) if tests else _load_and_split(train)


def _load_two_parts(train: Path, test: Path) -> ImageDataset:
    """Raises ValueError if the test has a class that the training pool has not."""
    pool, held = index_folder(train), index_folder(test)
    classes = classes_of(train, pool)
    for name in classes_of(test, held):
        if name not in classes:
            raise ValueError(f"{test / name} is a class that {train} does not have")
    return ImageDataset(
        classes,
        files_of(train, pool),
        labels_of(pool, classes),
        files_of(test, held),
        labels_of(held, classes),
        _sha256(f"{pool.fingerprint} {held.fingerprint}"),
    )


def _load_and_split(root: Path) -> ImageDataset:
    """One tree, of which TEST_SHARE of each class is the test set."""
    every = index_folder(root)
    classes = classes_of(root, every)
    files, labels = files_of(root, every), labels_of(every, classes)
    for name, images in zip(classes, np.bincount(labels), strict=True):
        if images < 2:
            raise ValueError(
                f"{root / name} holds one image, and a class needs two: one for the test"
            )
    pool, test = split_off_test(labels, TEST_SHARE)
    return ImageDataset(
        classes,
        ImageFiles(root, files.paths[pool]),
        labels[pool],
        ImageFiles(root, files.paths[test]),
        labels[test],
        _sha256(f"{every.fingerprint} {TEST_SPLIT_SEED} {TEST_SHARE}"),
    )


def classes_of(root: Path, listed: FileIndex) -> tuple[str, ...]:
    """Sorted names of the class folders.

    Raises ValueError for an image outside them, for one that is empty, and where there are none.
    """
    for path in listed.paths:
        if "/" not in path:
            raise ValueError(f"{root / path} is not in a class folder: move it to {root}/CLASS/")
    filled = {path.partition("/")[0] for path in listed.paths}
    named = {folder.partition("/")[0] for folder in listed.folders} - {""}
    for name in sorted(named - filled):
        raise ValueError(f"{root / name} holds no image: they end in {', '.join(IMAGE_SUFFIXES)}")
    if not filled:
        raise ValueError(f"{root} holds no class folders: images are read from {root}/CLASS/")
    return tuple(sorted(filled))


def labels_of(listed: FileIndex, classes: tuple[str, ...]) -> Labels:
    index = {name: label for label, name in enumerate(classes)}
    return np.array([index[path.partition("/")[0]] for path in listed.paths], np.int64)


def files_of(root: Path, listed: FileIndex) -> ImageFiles:
    return ImageFiles(root, np.array([os.fsencode(path) for path in listed.paths], np.bytes_))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
