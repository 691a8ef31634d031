"""Build a data set from parts with labels as text: tables, shards, Parquet files."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clip_hparam.data.dataset import (
    SELECTION,
    TEST,
    TEST_SPLIT_SEED,
    TRAIN,
    EvalSet,
    ImageDataset,
    ImageFiles,
    Labels,
    split_off_test,
)
from clip_hparam.data.folders.names import listed
from clip_hparam.data.folders.split_names import SplitRole

TEST_SHARE = 0.2  # share of each class, where no part is the test set
ROLES = {SplitRole.TRAIN: TRAIN, SplitRole.SELECTION: SELECTION, SplitRole.TEST: TEST}


@dataclass(frozen=True)
class LabelledPart:
    """Images of one set: the text of their labels, and an identity of images and labels."""

    source: str
    files: ImageFiles
    labels: tuple[str, ...]
    identity: str


def dataset_of_parts(
    parts: Mapping[str, LabelledPart], classes: Sequence[str] = (), notes: Sequence[str] = ()
) -> ImageDataset:
    """Return the data set of its parts, TRAIN among them.

    Without a test set a fixed fifth of each class is the test set; with a selection set alone, that
    is the test set.

    classes: their order; empty: the sorted labels, numbers by their value.
    notes: as of ImageDataset.

    Raises: ValueError for a label that the training set lacks, and for a class that is too small.
    """
    parts = dict(parts)
    if TEST not in parts and SELECTION in parts:
        parts[TEST] = parts.pop(SELECTION)
    train = parts[TRAIN]
    named = tuple(classes) or sorted_classes(train.labels)
    label_of = {name: label for label, name in enumerate(named)}
    labels = {name: _labels(part, label_of, train) for name, part in parts.items()}
    if len(named) < 2:
        raise ValueError(f"{train.source} has one class, {named[0]}, and a classifier needs two")
    if TEST not in parts:
        return _with_drawn_test(train, labels[TRAIN], named, tuple(notes))
    return ImageDataset(
        classes=named,
        train=train.files,
        train_labels=labels[TRAIN],
        eval_sets={
            name: EvalSet(part.files, labels[name]) for name, part in parts.items() if name != TRAIN
        },
        fingerprint=sha256(f"{train.identity} {parts[TEST].identity}"),
        selection_fingerprint=parts[SELECTION].identity if SELECTION in parts else "",
        sources={name: part.source for name, part in parts.items()},
        notes=tuple(notes),
    )


def sorted_classes(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the sorted labels, numbers by their value."""
    names = set(labels)
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def sha256(text: str) -> str:
    """Return the SHA-256 of a text, which may hold names of files."""
    return hashlib.sha256(os.fsencode(text)).hexdigest()


def _with_drawn_test(
    train: LabelledPart, labels: Labels, classes: tuple[str, ...], notes: tuple[str, ...]
) -> ImageDataset:
    for name, count in zip(classes, np.bincount(labels, minlength=len(classes)), strict=True):
        if count < 2:
            raise ValueError(
                f"{train.source}: class {name} has one image, and it needs two: one for the test"
            )
    kept, test = split_off_test(labels, TEST_SHARE)
    return ImageDataset(
        classes=classes,
        train=train.files[kept],
        train_labels=labels[kept],
        eval_sets={TEST: EvalSet(train.files[test], labels[test])},
        fingerprint=sha256(f"{train.identity} {TEST_SPLIT_SEED} {TEST_SHARE}"),
        sources={TRAIN: train.source, TEST: f"{train.source}, a fixed fifth of each class"},
        notes=notes,
    )


def _labels(part: LabelledPart, label_of: dict[str, int], train: LabelledPart) -> Labels:
    trained = label_of.keys() & set(train.labels)
    unknown = sorted(set(part.labels) - trained)
    if unknown:
        raise ValueError(
            f"{part.source}: {unknown[0]} is a class that {train.source} does not have: choose from"
            f" {listed([name for name in label_of if name in trained])}"
        )
    return np.array([label_of[label] for label in part.labels], np.int64)
