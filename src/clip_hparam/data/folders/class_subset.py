"""data.subset: some of the classes of a data set, by a list of the package or a file of names."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from clip_hparam.config.knob import close_names, suggest
from clip_hparam.data.dataset import EvalSet, ImageDataset, Indices, Labels
from clip_hparam.data.folders.names import listed, normalized, readable

ALL_CLASSES = "none"
LISTS = {"imagenet100": Path(__file__).with_name("imagenet100.txt")}
"""Lists of the package by the value of data.subset."""
COMMENT = "#"


def with_subset(dataset: ImageDataset, subset: str) -> ImageDataset:
    """Return the data set without the classes that `data.subset` leaves out.

    The order of the classes is that of the data set, so the order in a list changes nothing. A
    subset of all classes is the data set itself, with its fingerprint.

    Raises: ValueError for a class that the data set does not have, a class named twice, or fewer
    than two classes, FileNotFoundError if there is no such list.
    """
    if subset == ALL_CLASSES:
        return dataset
    wanted = {normalized(name) for name in _known_names(dataset, subset)}
    kept = [label for label, name in enumerate(dataset.classes) if normalized(name) in wanted]
    return dataset if len(kept) == len(dataset.classes) else _keep(dataset, tuple(kept), subset)


@cache
def _keep(dataset: ImageDataset, kept: tuple[int, ...], subset: str) -> ImageDataset:
    """Return the data set with the classes of these labels. Raises ValueError for an empty set."""
    classes = tuple(dataset.classes[label] for label in kept)
    label_of = np.full(len(dataset.classes), -1)
    label_of[list(kept)] = np.arange(len(kept))
    members, labels = _members(label_of, dataset.train_labels)
    sets = {
        name: _subset_of(eval_set, label_of, kept) for name, eval_set in dataset.eval_sets.items()
    }
    for name, eval_set in sets.items():
        if not len(eval_set.labels):
            raise ValueError(
                f"data.subset={subset} leaves no image in the {name.replace('_', ' ')} set: name a"
                " class that it has"
            )
    text = "\n".join((dataset.fingerprint, *map(normalized, classes)))
    note = f"data.subset={subset} keeps {len(kept):,} of {len(dataset.classes):,} classes"
    return replace(
        dataset,
        classes=classes,
        train=dataset.train[members],
        train_labels=labels,
        eval_sets=sets,
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        notes=(*dataset.notes, note),
    )


def _subset_of(eval_set: EvalSet, label_of: Labels, kept: tuple[int, ...]) -> EvalSet:
    members, labels = _members(label_of, eval_set.labels)
    allowed = None if eval_set.allowed_classes is None else eval_set.allowed_classes[list(kept)]
    return EvalSet(eval_set.images[members], labels, allowed)


def _members(label_of: Labels, labels: Labels) -> tuple[Indices, Labels]:
    """Return the indices of the images whose class is kept, and their new labels."""
    renamed = label_of[labels]
    members = np.flatnonzero(renamed >= 0)
    return members, renamed[members]


def _known_names(dataset: ImageDataset, subset: str) -> list[str]:
    """Return the names of a list. Raises ValueError if they are no subset of the classes."""
    names = _read_names(subset)
    known = {normalized(name) for name in dataset.classes}
    unknown = [name for name in names if normalized(name) not in known]
    if unknown:
        raise ValueError(_unknown_message(dataset.classes, subset, len(names), unknown))
    twice = [name for name, count in Counter(map(normalized, names)).items() if count > 1]
    if twice:
        raise ValueError(
            f"data.subset={subset} names {listed(twice)} more than once: keep one line"
        )
    if len(names) < 2:
        raise ValueError(
            f"data.subset={subset} names {len(names) or 'no'} class, and a classifier needs two: it"
            " holds one class name a line"
        )
    return names


def _read_names(subset: str) -> list[str]:
    """Return the lines of a list without comments. Raises FileNotFoundError if there is none."""
    path = LISTS.get(subset, Path(subset).expanduser())
    if not path.is_file():
        raise FileNotFoundError(
            f"data.subset={subset} is neither a list of the package nor a file:"
            f" {suggest(subset, [ALL_CLASSES, *LISTS])}, or a file with one class name a line"
        )
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(
            f"data.subset={subset} is not a text file in UTF-8: it holds one class name a line"
        ) from None
    stripped = (line.strip() for line in lines)
    return [line for line in stripped if line and not line.startswith(COMMENT)]


def _unknown_message(
    classes: Sequence[str], subset: str, count: int, unknown: Sequence[str]
) -> str:
    head = f"data.subset={subset} names {listed(unknown)}"
    if len(unknown) == count:
        return f"{head}, and the data set has none of them: its classes are {listed(classes)}"
    close = close_names(unknown[0], [readable(name) for name in classes])
    meant = f"did you mean {' or '.join(close)}?" if close else f"choose from {listed(classes)}"
    return f"{head}, which the data set does not have: {meant}"
