"""Images in class folders: the layout of ImageNet, and any other."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from clip_hparam.data.dataset import (
    SELECTION,
    TEST,
    TEST_SPLIT_SEED,
    TRAIN,
    EvalSet,
    ImageDataset,
    ImageFiles,
    split_off_test,
)
from clip_hparam.data.file_index import IMAGE_SUFFIXES, FileIndex, index_folder
from clip_hparam.data.folders.class_folders import (
    classes_of,
    labels_of,
    missing_classes,
    refuse_unknown_classes,
)
from clip_hparam.data.folders.class_level import level_note
from clip_hparam.data.folders.names import listed
from clip_hparam.data.folders.split_folders import find_splits, split_folder
from clip_hparam.data.folders.split_names import SplitRole

TEST_SHARE = 0.2  # of each class, where a folder has no test set of its own
WORDNET_ID = re.compile(r"n\d{8}")


@cache
def load_imagenet(root: Path) -> ImageDataset:
    """Return ImageNet from train/<wnid>/*.JPEG and val/<wnid>/*.JPEG; val is the test set.

    A label is the position among the sorted WordNet ids, as in the official index. The tree may
    hold a subset of the classes. A folder test, whose labels are not published, is not read.

    Raises: ValueError for another layout, FileNotFoundError if train or val is missing.
    """
    train, val = (split_folder(root, role) for role in (SplitRole.TRAIN, SplitRole.SELECTION))
    if train is None or val is None:
        raise FileNotFoundError(
            f"data.root={root} has no folder {'val' if train else 'train'}: data=imagenet reads"
            " train/n01440764/*.JPEG and val/n01440764/*.JPEG"
        )
    dataset = _load_splits(train, None, val)
    for name in dataset.classes:
        if not WORDNET_ID.fullmatch(name):
            raise ValueError(
                f"{train / name} is not named by a WordNet id such as n01440764: try data=folder"
            )
    return dataset


@cache
def load_image_folder(root: Path) -> ImageDataset:
    """Return the images of class folders; the classes are the sorted folder names.

    The root holds the class folders, or split folders (see folders/split_names.py). Without a test
    set a fixed fifth of each class is the test set.
    """
    splits = find_splits(root)
    if splits.test is None:
        dataset = _load_and_split(splits.train)
    else:
        dataset = _load_splits(splits.train, splits.selection, splits.test)
    return replace(dataset, notes=(*splits.notes, *dataset.notes))


def _load_splits(train: Path, selection: Path | None, test: Path) -> ImageDataset:
    """Return the data set of split folders. Raises ValueError for a class that train lacks."""
    index, test_index = index_folder(train), index_folder(test)
    classes = classes_of(train, index)
    test_set, notes = _evaluation_set(test, test_index, train, classes)
    dataset = ImageDataset(
        classes=classes,
        train=files_of(train, index),
        train_labels=labels_of(index, classes),
        eval_sets={TEST: test_set},
        fingerprint=_sha256(f"{index.fingerprint} {test_index.fingerprint}"),
        sources={TRAIN: str(train), TEST: str(test)},
        notes=(*level_note(train, index, classes), *notes, *ignored_note(index, test_index)),
    )
    if selection is None:
        return dataset
    selection_index = index_folder(selection)
    selection_set, notes = _evaluation_set(selection, selection_index, train, classes)
    return replace(
        dataset,
        eval_sets={SELECTION: selection_set, TEST: test_set},
        selection_fingerprint=selection_index.fingerprint,
        sources={**dataset.sources, SELECTION: str(selection)},
        notes=(*dataset.notes, *notes, *ignored_note(selection_index)),
    )


def _evaluation_set(
    folder: Path, index: FileIndex, train: Path, classes: Sequence[str]
) -> tuple[EvalSet, tuple[str, ...]]:
    """Return the images of a folder with the labels of the training set, and notes."""
    names = classes_of(folder, index, least=1)
    refuse_unknown_classes(folder, names, classes, f"is a class that {train} does not have")
    missing = missing_classes(names, classes)
    note = f"{folder} lacks {len(missing)} of {len(classes)} classes: {listed(missing)}"
    return EvalSet(files_of(folder, index), labels_of(index, classes)), (note,) * bool(missing)


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
    return ImageDataset(
        classes=classes,
        train=files[train],
        train_labels=labels[train],
        eval_sets={TEST: EvalSet(files[test], labels[test])},
        fingerprint=_sha256(f"{index.fingerprint} {TEST_SPLIT_SEED} {TEST_SHARE}"),
        sources={TRAIN: str(root), TEST: f"{root}, a fixed fifth of each class"},
        notes=(*level_note(root, index, classes), *ignored_note(index)),
    )


def ignored_note(*indices: FileIndex) -> tuple[str, ...]:
    """Return a sentence with the number of files that are no images, by suffix."""
    counts: Counter[str] = Counter()
    for index in indices:
        for found in index.ignored.values():
            counts.update(found)
    if not counts:
        return ()
    by_suffix = ", ".join(f"{n} {suffix or '(no suffix)'}" for suffix, n in counts.most_common())
    return (
        f"not used: {counts.total()} files that are no images by their suffix: {by_suffix} (images"
        f" end in {', '.join(IMAGE_SUFFIXES)})",
    )


def files_of(root: Path, index: FileIndex) -> ImageFiles:
    """Return the paths of an index as one array of bytes."""
    return ImageFiles(root, np.array([os.fsencode(path) for path in index.paths], np.bytes_))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
