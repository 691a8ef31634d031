"""Images in class folders: the layout of ImageNet, and any other."""

import re
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
    split_off_test,
)
from clip_hparam.data.folders.class_folders import refuse_unknown_classes, single_image_message
from clip_hparam.data.folders.class_level import (
    imagenet_root_hint,
    level_notes,
    refuse_equal_classes,
)
from clip_hparam.data.folders.folder_notes import file_notes, missing_note
from clip_hparam.data.folders.labelled_folder import LabelledFolder, read_labelled_folder
from clip_hparam.data.folders.split_folders import SplitFolders, find_splits, split_folder
from clip_hparam.data.folders.split_names import SplitRole
from clip_hparam.data.labelled_parts import sha256

TEST_SHARE = 0.2  # share of each class, where a folder has no test set
WORDNET_ID = re.compile(r"n\d{8}")


@cache
def load_imagenet_tree(root: Path) -> ImageDataset:
    """Return ImageNet from train/<wnid>/*.JPEG and val/<wnid>/*.JPEG; val is the test set.

    A label is the position among the sorted WordNet ids, as in the official index. The tree may
    hold a subset of the classes. A folder test, whose labels are not published, is not read.

    Raises: ValueError for another layout, FileNotFoundError if train or val is missing.
    """
    train, val = (split_folder(root, role) for role in (SplitRole.TRAIN, SplitRole.SELECTION))
    if train is None or val is None:
        raise FileNotFoundError(
            f"data.root={root} has no folder {'val' if train else 'train'}: data=imagenet reads"
            f" train/n01440764/*.JPEG and val/n01440764/*.JPEG{imagenet_root_hint(root)}"
        )
    dataset = _load_splits(train, None, val, official=True)
    for name in dataset.classes:
        if not WORDNET_ID.fullmatch(name):
            raise ValueError(
                f"{train / name} is not named by a WordNet id such as n01440764: try data=folder"
            )
    return dataset


@cache
def load_image_folder(root: Path, only_classes: bool = False) -> ImageDataset:
    """Return the images of class folders; the classes are the sorted folder names.

    only_classes: all folders in the root are classes, also those that are named like splits.

    The root holds the class folders, or split folders (see folders/split_names.py). Without a test
    set a fixed fifth of each class is the test set.
    """
    splits = SplitFolders(root) if only_classes else find_splits(root)
    if splits.test is None:
        dataset = _load_and_split(splits.train, only_classes)
    else:
        dataset = _load_splits(splits.train, splits.selection, splits.test)
    return replace(dataset, notes=(*splits.notes, *dataset.notes))


def _load_splits(
    train: Path, selection: Path | None, test: Path, official: bool = False
) -> ImageDataset:
    """Return the data set of split folders. Raises ValueError for a class that train lacks.

    official: as for `reading.image.read_image`.
    """
    trained = read_labelled_folder(train, official)
    parts = {
        name: _read_evaluation_set(folder, trained)
        for name, folder in ((SELECTION, selection), (TEST, test))
        if folder is not None
    }
    return ImageDataset(
        classes=trained.classes,
        train=trained.files,
        train_labels=trained.labels(trained.classes),
        eval_sets={
            name: EvalSet(part.files, part.labels(trained.classes)) for name, part in parts.items()
        },
        fingerprint=sha256(f"{trained.identity} {parts[TEST].identity}"),
        selection_fingerprint=parts[SELECTION].identity if selection else "",
        sources={name: str(part.root) for name, part in {TRAIN: trained, **parts}.items()},
        notes=(
            *level_notes(train, trained.index, trained.classes),
            *(note for part in parts.values() for note in missing_note(part, trained)),
            *file_notes(trained, *parts.values()),
        ),
    )


def _read_evaluation_set(folder: Path, trained: LabelledFolder) -> LabelledFolder:
    """Return the images of a folder. Raises ValueError for a class that is not trained on."""
    read = read_labelled_folder(folder, trained.official, least=1)
    rule = f"is a class that {trained.root} does not have"
    refuse_unknown_classes(folder, read.classes, trained.classes, rule)
    return read


def _load_and_split(root: Path, only_classes: bool) -> ImageDataset:
    """Return the data set of one folder, with TEST_SHARE of each class as the test set."""
    folder = read_labelled_folder(root, only_classes=only_classes)
    if not only_classes:
        refuse_equal_classes(root, folder.index, folder.classes)
    files, labels = folder.files, folder.labels(folder.classes)
    for name, count in zip(folder.classes, np.bincount(labels), strict=True):
        if count < 2:
            raise ValueError(single_image_message(root / name))
    train, test = split_off_test(labels, TEST_SHARE)
    return ImageDataset(
        classes=folder.classes,
        train=files[train],
        train_labels=labels[train],
        eval_sets={TEST: EvalSet(files[test], labels[test])},
        fingerprint=sha256(f"{folder.identity} {TEST_SPLIT_SEED} {TEST_SHARE}"),
        sources={TRAIN: str(root), TEST: f"{root}, a fixed fifth of each class"},
        notes=(*level_notes(root, folder.index, folder.classes), *file_notes(folder)),
    )
