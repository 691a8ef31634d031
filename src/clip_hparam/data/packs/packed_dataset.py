"""The data set of packs: their images, the classes of their labels, and its fingerprint."""

import hashlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clip_hparam.data.dataset import SELECTION, TEST, TRAIN, ImageDataset
from clip_hparam.data.folders.names import listed
from clip_hparam.data.folders.split_names import SplitRole
from clip_hparam.data.labelled_parts import (
    ROLES,
    LabelledPart,
    dataset_of_parts,
    sha256,
    sorted_classes,
)
from clip_hparam.data.packs.class_index import named_by_index
from clip_hparam.data.packs.find_packs import FoundPacks, find_packs
from clip_hparam.data.packs.pack_checks import (
    PackFormat,
    refuse_copies,
    refuse_mixed,
    refuse_unlike,
    sha256_of_index,
)
from clip_hparam.data.packs.pack_index import Pack, PackIndex, indexed
from clip_hparam.data.packs.packed_files import PackedFiles
from clip_hparam.data.packs.parquet.parquet_index import UNLABELLED
from clip_hparam.data.reading.image import is_named_jpeg
from clip_hparam.data.reading.scan import RULES_VERSION

WORD_OF_ROLE = {SplitRole.TRAIN: "train", SplitRole.SELECTION: "val", SplitRole.TEST: "test"}
LARGE_GROUP = 64 * 2**20  # bytes that are read for one image, above which a note says so
Names = Callable[[Path, Collection[str], Sequence[str]], tuple[str, ...] | None]
"""Root, labels and classes of the packs -> name of each number, None if labels are names."""


@dataclass(frozen=True)
class _Split:
    """Packs of one set with their indexes."""

    name: str
    packs: tuple[Pack, ...]
    indexes: tuple[PackIndex, ...]

    @property
    def labels(self) -> list[str]:
        return [label for index in self.indexes for label in index.labels]


def load_packs(
    root: Path, form: PackFormat, names: Names = named_by_index, official: bool = False
) -> ImageDataset:
    """Return the data set of the packs of a root, in the order of their names.

    official: ImageNet: val is the test set, test is not read, and images are read as
        `reading.image.read_image` says.

    Raises: ValueError for packs that cannot be used, FileNotFoundError for missing ones.
    """
    packs = find_packs(root, form.suffix)
    splits = _splits(packs, form, official)
    if official and set(splits) != {TRAIN, SELECTION}:
        raise FileNotFoundError(
            f"data.root={root} has no {form.noun}s named val: data=imagenet reads train-*"
            f"{form.suffix} and val-*{form.suffix}"
        )
    every = [(pack, index) for split in splits.values() for pack, index in _pairs(split)]
    refuse_unlike(every)
    refuse_copies(every, form)
    notes = [*_without_labels(splits, root), *_notes(every, splits, root)]
    labels = {label for split in splits.values() for label in split.labels}
    refuse_mixed(root, every[0][1].kind, labels)
    named = names(packs.root, labels, every[0][1].classes)
    parts = {name: _part(packs, split, form, named, official) for name, split in splits.items()}
    classes, missing = _classes(parts, named)
    return dataset_of_parts(parts, classes, [*notes, *missing])


def _splits(found_packs: FoundPacks, form: PackFormat, official: bool) -> dict[str, _Split]:
    """Return the packs of each set, indexed."""
    splits = {}
    for role, paths in found_packs.by_role.items():
        name = TRAIN if role is None else ROLES[role]
        if official and role is SplitRole.TEST:
            continue
        pairs = [indexed(found_packs.root / path, form.build_index) for path in paths]
        packs, indexes = zip(*pairs, strict=True)
        splits[name] = _Split(WORD_OF_ROLE[role] if role else "", packs, indexes)
    return splits


def _pairs(split: _Split) -> list[tuple[Pack, PackIndex]]:
    return list(zip(split.packs, split.indexes, strict=True))


def _without_labels(splits: dict[str, _Split], root: Path) -> list[str]:
    """Remove a test set whose labels are not published; return a sentence about it."""
    if TEST not in splits or set(splits[TEST].labels) != {UNLABELLED}:
        return []
    del splits[TEST]
    return [f"the test set in {root} is not read: its labels are all {UNLABELLED}, not published"]


def _notes(
    every: Sequence[tuple[Pack, PackIndex]], splits: Mapping[str, _Split], root: Path
) -> list[str]:
    notes = []
    if SELECTION in splits and TEST not in splits:
        notes.append(
            f"{splits[SELECTION].name} is the test set, because {root} holds no test set; the"
            " selection set is drawn from train"
        )
    largest = max(index.group_size for _, index in every)
    if largest > LARGE_GROUP:
        notes.append(
            f"a row group of {root} has {largest / 2**20:,.0f} MiB, and all of it is read for one"
            " image: write the files with row_group_size=100, or as shards"
        )
    return notes


def _part(
    packs: FoundPacks,
    split: _Split,
    form: PackFormat,
    named: tuple[str, ...] | None,
    official: bool,
) -> LabelledPart:
    paths = [
        os.fsencode(f"{pack.path.relative_to(packs.root)}/{name}")
        for pack, index in _pairs(split)
        for name in index.names
    ]
    places = np.concatenate([index.places for index in split.indexes])
    counts = [len(index.names) for index in split.indexes]
    files = PackedFiles(
        root=packs.root,
        paths=np.array(paths, np.bytes_),
        official=official,
        packs=split.packs,
        pack_of=np.repeat(np.arange(len(counts)), counts),
        places=places,
        sizes=places[:, 1] if form.sized else np.ones(len(places), np.int64),
        read=form.read,
    )
    labels = split.labels if named is None else [named[int(label)] for label in split.labels]
    digest = hashlib.sha256("\0".join(labels).encode())
    for index in split.indexes:
        digest.update(sha256_of_index(index, form.sized).encode())
    rules = "" if official and _all_jpegs(split) else f" read by rules {RULES_VERSION}"
    which = f", {split.name}" if split.name else ""
    plural = "" if len(counts) == 1 else "s"
    source = f"{packs.root}{which} ({len(counts):,} {form.noun}{plural})"
    return LabelledPart(source, files, tuple(labels), sha256(digest.hexdigest() + rules))


def _all_jpegs(split: _Split) -> bool:
    return all(is_named_jpeg(Path(name)) for index in split.indexes for name in index.names)


def _classes(
    parts: Mapping[str, LabelledPart], named: tuple[str, ...] | None
) -> tuple[tuple[str, ...], list[str]]:
    """Return the classes that a set has, in their order, and a sentence about the others."""
    present = {label for part in parts.values() for label in part.labels}
    if named is None:
        return sorted_classes(tuple(present)), []
    missing = [name for name in named if name not in present]
    note = f"{len(missing):,} of {len(named):,} classes have no image and are left out"
    kept = tuple(name for name in named if name in present)
    return kept, [f"{note}: {listed(missing)}"] if missing else []
