"""Images in class folders: the layout of ImageNet, and any other."""

import hashlib
import os
import re
from functools import cache
from pathlib import Path

import numpy as np

from clip_hparam.data.dataset import (
    TEST,
    TEST_SPLIT_SEED,
    EvalSet,
    ImageDataset,
    ImageFiles,
    Labels,
    split_off_test,
)
from clip_hparam.data.file_index import IMAGE_SUFFIXES, FileIndex, index_folder
from clip_hparam.data.reading.scan import scan_headers

TEST_SHARE = 0.2  # of each class, where a folder has no test set of its own
WORDNET_ID = re.compile(r"n\d{8}")


@cache
def load_imagenet(root: Path) -> ImageDataset:
    """Return ImageNet from train/<wnid>/*.JPEG and val/<wnid>/*.JPEG; val is the test set.

    A label is the position among the sorted WordNet ids, as in the official index. The tree may
    hold a subset of the classes.

    Raises: ValueError for another layout, FileNotFoundError if train or val is missing.
    """
    for part in ("train", "val"):
        if not (root / part).is_dir():
            raise FileNotFoundError(
                f"data.root={root} has no folder {part}: data=imagenet reads"
                " train/n01440764/*.JPEG and val/n01440764/*.JPEG"
            )
    dataset = _load_train_and_test(root / "train", root / "val", official=True)
    for name in dataset.classes:
        if not WORDNET_ID.fullmatch(name):
            raise ValueError(
                f"{root / 'train' / name} is not named by a WordNet id such as n01440764:"
                " try data=folder"
            )
    return dataset


@cache
def load_image_folder(root: Path) -> ImageDataset:
    """Return the images of class folders; the classes are the sorted folder names.

    If the root holds train and test (or val), these are the two sets. Otherwise a fixed fifth of
    each class in train, or in the root itself, is the test set.
    """
    train = root / "train"
    if not train.is_dir():
        return _load_and_split(root)
    tests = [root / part for part in ("test", "val") if (root / part).is_dir()]
    return _load_train_and_test(train, tests[0]) if tests else _load_and_split(train)


def _load_train_and_test(train: Path, test: Path, official: bool = False) -> ImageDataset:
    """Return the data set of two folders. Raises ValueError for a class that only `test` has.

    official: as for `reading.image.read_image`.
    """
    train_index, test_index = index_folder(train), index_folder(test)
    classes = classes_of(train, train_index)
    for name in classes_of(test, test_index):
        if name not in classes:
            raise ValueError(f"{test / name} is a class that {train} does not have")
    test_files = files_of(test, test_index, official)
    identities = [
        scan_headers(folder, index, official).identify(index.fingerprint)
        for folder, index in ((train, train_index), (test, test_index))
    ]
    return ImageDataset(
        classes=classes,
        train=files_of(train, train_index, official),
        train_labels=labels_of(train_index, classes),
        eval_sets={TEST: EvalSet(test_files, labels_of(test_index, classes))},
        fingerprint=_sha256(" ".join(identities)),
    )


def _load_and_split(root: Path) -> ImageDataset:
    """Return the data set of one folder, with TEST_SHARE of each class as the test set."""
    index = index_folder(root)
    classes = classes_of(root, index)
    files, labels = files_of(root, index), labels_of(index, classes)
    for name, count in zip(classes, np.bincount(labels), strict=True):
        if count < 2:
            raise ValueError(
                f"{root / name} holds one image, and a class needs two: one for the test"
            )
    train, test = split_off_test(labels, TEST_SHARE)
    identity = scan_headers(root, index).identify(index.fingerprint)
    return ImageDataset(
        classes=classes,
        train=files[train],
        train_labels=labels[train],
        eval_sets={TEST: EvalSet(files[test], labels[test])},
        fingerprint=_sha256(f"{identity} {TEST_SPLIT_SEED} {TEST_SHARE}"),
    )


def classes_of(root: Path, index: FileIndex) -> tuple[str, ...]:
    """Return the sorted names of the class folders.

    Raises: ValueError for an image outside a class folder, for an empty class folder, and if there
    is no class folder.
    """
    for path in index.paths:
        if "/" not in path:
            raise ValueError(f"{root / path} is not in a class folder: move it to {root}/CLASS/")
    filled = {path.partition("/")[0] for path in index.paths}
    folders = {folder.partition("/")[0] for folder in index.folders} - {""}
    for name in sorted(folders - filled):
        raise ValueError(f"{root / name} holds no image: they end in {', '.join(IMAGE_SUFFIXES)}")
    if not filled:
        raise ValueError(f"{root} holds no class folders: images are read from {root}/CLASS/")
    return tuple(sorted(filled))


def labels_of(index: FileIndex, classes: tuple[str, ...]) -> Labels:
    """Return the label of each path, int64, shape (n,)."""
    labels = {name: label for label, name in enumerate(classes)}
    return np.array([labels[path.partition("/")[0]] for path in index.paths], np.int64)


def files_of(root: Path, index: FileIndex, official: bool = False) -> ImageFiles:
    """Return the paths of an index as one array of bytes."""
    paths = np.array([os.fsencode(path) for path in index.paths], np.bytes_)
    return ImageFiles(root, paths, official)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
