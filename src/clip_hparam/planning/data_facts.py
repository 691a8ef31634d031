"""Describe the images of a recipe: classes, counts, folders, and notes on unusual facts.

Imports no torch.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache

import numpy as np

from clip_hparam.config.knob import AUTO
from clip_hparam.config.recipe import Data
from clip_hparam.config.text.count import counted
from clip_hparam.data.dataset import SELECTION, TEST, TRAIN, ImageDataset, ImageFiles, Indices
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.folders.names import listed, readable
from clip_hparam.data.folders.shared_files import shared_file_notes
from clip_hparam.data.folders.unreadable import refuse_unreadable
from clip_hparam.data.reading.errors import UnreadableImageError
from clip_hparam.data.reading.image import open_header
from clip_hparam.data.splits import split_sizes

DEFAULT_SELECTION_SHARE = 0.1  # share of the training images, for data.selection=auto
MAX_HEADERS = 1_000  # files of a set whose size a check reads
FAR_FROM_ONE_PASS = 5.0  # passes over the training images in an epoch, or its inverse


def resolve_selection(data: Data, dataset: ImageDataset) -> float:
    """Return `data.selection`; auto is 0 if the data set has a selection set of its own."""
    if data.selection != AUTO:
        return float(data.selection)
    return 0.0 if SELECTION in dataset.eval_sets else DEFAULT_SELECTION_SHARE


def validate_images(data: Data) -> tuple[str, ...]:
    """Raise ValueError with one line for each unreadable image; up to 20,000 are decoded.

    Return a sentence if there are more and they were never checked, and one for each evaluation set
    that holds training images.
    """
    return _validate_images(replace(data, shots=0, epoch_images=AUTO, fingerprint=AUTO))


def data_counts(data: Data) -> dict[str, int]:
    """Return the numbers of classes, of images in each set, and of files that are left out."""
    dataset = load_dataset(data)
    share = resolve_selection(data, dataset)
    train, drawn = split_sizes(dataset.train_labels, data.shots, share, dataset.classes)
    own = dataset.eval_sets.get(SELECTION)
    return {
        "classes": len(dataset.classes),
        TRAIN: int(train.sum()),
        SELECTION: int(drawn.sum()) if own is None else len(own.labels),
        TEST: len(dataset.test.labels),
        "skipped": len(dataset.skipped),
    }


def data_rows(data: Data) -> Iterator[tuple[str, str]]:
    """Yield a name and a value for the data set and each of its sets."""
    dataset, counts = load_dataset(data), data_counts(data)
    yield (
        "data",
        f"{data.name}, {counted(counts['classes'], 'class', 'classes')}: {listed(dataset.classes)}",
    )
    left_out = f", {counts['skipped']} unreadable left out" if counts["skipped"] else ""
    shots = f", {data.shots} of each class" if data.shots else ""
    yield (
        "training set",
        f"{counted(counts[TRAIN], 'image')}{_source(dataset, TRAIN)}{shots}{left_out}",
    )
    yield (
        "selection set",
        f"{counted(counts[SELECTION], 'image')}{_selection_source(data, dataset)}",
    )
    yield "test set", f"{counted(counts[TEST], 'image')}{_source(dataset, TEST)}"


def check_rows(data: Data) -> Iterator[tuple[str, str]]:
    """Yield a name and a value for facts that a check of the images shows beside `data_rows`.

    Raises: ValueError as `split_sizes` does.
    """
    dataset = load_dataset(data)
    yield from data_rows(data)
    sets = {TRAIN: (dataset.train, dataset.train_labels)}
    sets |= {
        name: (eval_set.images, eval_set.labels) for name, eval_set in dataset.eval_sets.items()
    }
    for name, (images, labels) in sets.items():
        counts = np.bincount(labels, minlength=len(dataset.classes))
        words = name.replace("_", " ")
        yield f"{words}, images of a class", _balance(counts, dataset.classes)
        if isinstance(images, ImageFiles):
            yield f"{words}, sizes", _sizes(images)
    yield "fingerprint", dataset.fingerprint


def _balance(counts: Indices, classes: Sequence[str]) -> str:
    """Return the least and the most images of a class, with the names of these classes."""
    low, high = int(counts.argmin()), int(counts.argmax())
    if counts[low] == counts[high]:
        return f"{counts[low]:,} of each"
    ends = [f"{counts[label]:,} ({readable(classes[label])})" for label in (low, high)]
    return f"{ends[0]} to {ends[1]}, mean {counts.mean():,.1f}"


def _sizes(images: ImageFiles) -> str:
    """Return the range of the shorter sides in px, from headers of evenly spaced files."""
    spacing = -(-len(images) // MAX_HEADERS)
    sides: list[int] = []
    for index in range(0, len(images), spacing):
        path = images.path(index)
        with suppress(UnreadableImageError), open_header(path, images.content(index)) as image:
            sides.append(min(image.size))
    if not sides:
        return "unknown"
    low, middle, high = (int(value) for value in np.percentile(sides, (0, 50, 100)))
    sample_text = f" of {len(sides):,} files" if spacing > 1 else ""
    return f"shorter side {low:,} to {high:,} px, median {middle:,}{sample_text}"


def data_notes(data: Data) -> list[str]:
    """Return a sentence for each fact about the images that a user may not expect."""
    return [*load_dataset(data).notes, *validate_images(data)]


def epoch_notes(data: Data) -> list[str]:
    """Return a sentence if an epoch is far from one pass over the training images.

    data: resolved.
    """
    epoch, images = int(data.epoch_images), data_counts(data)[TRAIN]
    passes = epoch / images
    if 1 / FAR_FROM_ONE_PASS <= passes <= FAR_FROM_ONE_PASS:
        return []
    return [
        f"an epoch of data.epoch_images={epoch} draws is {passes:.3g} passes over the {images:,}"
        " training images: for one pass try data.epoch_images=auto"
    ]


@cache
def _validate_images(data: Data) -> tuple[str, ...]:
    dataset = load_dataset(data)
    return (*refuse_unreadable(dataset, data), *shared_file_notes(dataset))


def _source(dataset: ImageDataset, name: str) -> str:
    source = dataset.sources.get(name)
    return f" of {source}" if source else ""


def _selection_source(data: Data, dataset: ImageDataset) -> str:
    if SELECTION in dataset.eval_sets:
        return _source(dataset, SELECTION)
    share = resolve_selection(data, dataset)
    return f"{_source(dataset, TRAIN)}, drawn by the seed (data.selection={share:g})"
