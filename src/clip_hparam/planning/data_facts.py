"""Facts about the images of a recipe, for people: classes, counts, folders, and what is unusual.

Imports no torch.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from clip_hparam.config.knob import AUTO
from clip_hparam.config.recipe import Data
from clip_hparam.data.dataset import SELECTION, TEST, TRAIN, ImageDataset
from clip_hparam.data.datasets import load_dataset, root_overrides
from clip_hparam.data.folders.names import listed
from clip_hparam.data.folders.shared_files import shared_file_notes
from clip_hparam.data.folders.unreadable import refuse_unreadable
from clip_hparam.data.splits import split_sizes

DEFAULT_SELECTION_SHARE = 0.1  # of the training images, for data.selection=auto
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
    yield "data", f"{data.name}, {counts['classes']} classes: {listed(dataset.classes)}"
    left_out = f", {counts['skipped']} unreadable left out" if counts["skipped"] else ""
    shots = f", {data.shots} of each class" if data.shots else ""
    yield "training set", f"{counts[TRAIN]:,} images{_source(dataset, TRAIN)}{shots}{left_out}"
    yield "selection set", f"{counts[SELECTION]:,} images{_selection_source(data, dataset)}"
    yield "test set", f"{counts[TEST]:,} images{_source(dataset, TEST)}"


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
    return (*refuse_unreadable(dataset, root_overrides(data)), *shared_file_notes(dataset))


def _source(dataset: ImageDataset, name: str) -> str:
    source = dataset.sources.get(name)
    return f" of {source}" if source else ""


def _selection_source(data: Data, dataset: ImageDataset) -> str:
    if SELECTION in dataset.eval_sets:
        return _source(dataset, SELECTION)
    share = resolve_selection(data, dataset)
    return f"{_source(dataset, TRAIN)}, drawn by the seed (data.selection={share:g})"
