"""The data set of a table, or of one table for each split."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
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
    Labels,
    split_off_test,
)
from clip_hparam.data.file_index import FileIndex
from clip_hparam.data.folders.labelled_folder import image_files
from clip_hparam.data.folders.names import listed
from clip_hparam.data.folders.split_names import SplitRole, plain_role
from clip_hparam.data.reading.scan import scan_headers
from clip_hparam.data.tables.table_file import FORM, SUFFIXES, TableRows, read_table

TEST_SHARE = 0.2  # of each class, where no table or split is the test set
ROLES = {SplitRole.TRAIN: TRAIN, SplitRole.SELECTION: SELECTION, SplitRole.TEST: TEST}


@dataclass(frozen=True)
class _Part:
    """Rows of one set: files, the text of their labels, and an identity of both."""

    source: str
    files: ImageFiles
    labels: tuple[str, ...]
    identity: str


@cache
def load_table(root: Path) -> ImageDataset:
    """Return the data set of a table, or of the tables train, val and test in a folder.

    The classes are the sorted labels, numbers by their value. Without a test set a fixed fifth of
    each class is the test set; with train and val alone, val is the test set.

    Raises: ValueError for a table that cannot be used, FileNotFoundError for missing images.
    """
    parts = _parts(root)
    if TEST not in parts and SELECTION in parts:
        parts[TEST] = parts.pop(SELECTION)
    train = parts[TRAIN]
    classes = _classes(train.labels)
    label_of = {name: label for label, name in enumerate(classes)}
    labels = {name: _labels(part, label_of, train) for name, part in parts.items()}
    if len(classes) < 2:
        raise ValueError(f"{train.source} has one class, {classes[0]}, and a classifier needs two")
    if TEST not in parts:
        return _with_drawn_test(train, labels[TRAIN], classes)
    return ImageDataset(
        classes=classes,
        train=train.files,
        train_labels=labels[TRAIN],
        eval_sets={
            name: EvalSet(part.files, labels[name]) for name, part in parts.items() if name != TRAIN
        },
        fingerprint=_sha256(f"{train.identity} {parts[TEST].identity}"),
        selection_fingerprint=parts[SELECTION].identity if SELECTION in parts else "",
        sources={name: part.source for name, part in parts.items()},
    )


def _with_drawn_test(train: _Part, labels: Labels, classes: tuple[str, ...]) -> ImageDataset:
    for name, count in zip(classes, np.bincount(labels), strict=True):
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
        fingerprint=_sha256(f"{train.identity} {TEST_SPLIT_SEED} {TEST_SHARE}"),
        sources={TRAIN: train.source, TEST: f"{train.source}, a fixed fifth of each class"},
    )


def _parts(root: Path) -> dict[str, _Part]:
    """Return the sets of a table or of a folder of tables, TRAIN among them."""
    if root.is_file():
        return _parts_of(read_table(root))
    tables = sorted(path for path in root.iterdir() if path.suffix in SUFFIXES)
    roles = {path: plain_role(path.stem) for path in tables}
    named = {path: role for path, role in roles.items() if role in ROLES}
    if len(tables) == 1 and not named:
        return _parts_of(read_table(tables[0]))
    by_role = {role: [p for p, one in named.items() if one == role] for role in ROLES}
    if len(by_role[SplitRole.TRAIN]) != 1 or any(len(paths) > 1 for paths in by_role.values()):
        found = listed([path.name for path in tables]) if tables else "no table"
        raise FileNotFoundError(
            f"data.root={root} holds {found}: data=table reads one table, or one each of train,"
            " val and test, which end in .csv, .tsv or .parquet"
        )
    rows = {ROLES[role]: read_table(paths[0]) for role, paths in by_role.items() if paths}
    return {name: _part(one, range(len(one.paths))) for name, one in rows.items()}


def _parts_of(rows: TableRows) -> dict[str, _Part]:
    """Return the sets of one table by its column split."""
    if not rows.splits:
        return {TRAIN: _part(rows, range(len(rows.paths)))}
    members: dict[str, list[int]] = {}
    for index, split in enumerate(rows.splits):
        role = plain_role(split)
        if role not in ROLES:
            raise ValueError(
                f"{rows.file}: row {index + 1} is of the split {split}: write train, val or test"
            )
        members.setdefault(ROLES[role], []).append(index)
    if TRAIN not in members:
        raise ValueError(f"{rows.file} has no row of the split train: {FORM}")
    return {name: _part(rows, index, name) for name, index in members.items()}


def _part(rows: TableRows, index: Sequence[int], split: str = "") -> _Part:
    folder = rows.file.parent
    paths = tuple(rows.paths[i] for i in index)
    labels = tuple(rows.labels[i] for i in index)
    found = FileIndex(paths, tuple(_sizes(rows.file, paths)), ())
    identity = scan_headers(folder, found).identify(found.fingerprint)
    text = _sha256(f"{identity} {labels}")
    source = f"{rows.file}{f', split {split}' if split else ''}"
    return _Part(source, image_files(folder, found), labels, text)


def _sizes(file: Path, paths: Sequence[str]) -> list[int]:
    """Return the bytes of each image. Raises FileNotFoundError with the first that is missing."""
    sizes: list[int] = []
    missing: list[str] = []
    for path in paths:
        try:
            sizes.append((file.parent / path).stat().st_size)
        except OSError:
            missing.append(path)
    if missing:
        raise FileNotFoundError(
            f"{file} names {len(missing):,} files that do not exist, the first is"
            f" {file.parent / missing[0]}: paths are relative to the folder of the"
            " table"
        )
    return sizes


def _classes(labels: Sequence[str]) -> tuple[str, ...]:
    names = set(labels)
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def _labels(part: _Part, label_of: dict[str, int], train: _Part) -> Labels:
    unknown = [label for label in part.labels if label not in label_of]
    if unknown:
        raise ValueError(
            f"{part.source}: {unknown[0]} is a class that {train.source} does not have: choose from"
            f" {listed(list(label_of))}"
        )
    return np.array([label_of[label] for label in part.labels], np.int64)


def _sha256(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()
