"""Unreadable files: a plan refuses them, or leaves them out of the training images."""

import hashlib
from dataclasses import replace
from functools import cache

import numpy as np

from clip_hparam.config.recipe import Data
from clip_hparam.config.text.count import counted
from clip_hparam.config.text.data_overrides import format_data
from clip_hparam.data.dataset import ImageDataset, ImageFiles
from clip_hparam.data.folders.image_check import MAX_FILES_UNASKED, known_unreadable
from clip_hparam.data.folders.names import readable


class UnreadableFilesError(ValueError):
    """Files that cannot be read as images; the message names each on a line of its own."""


def without_unreadable(dataset: ImageDataset, data: Data) -> ImageDataset:
    """Return the data set, or with `data.on_error=skip` its readable images.

    Raises: ValueError for images in memory, none of which is left out: the trial would only get
    another id; else as `_readable`.
    """
    if data.on_error != "skip":
        return dataset
    if not isinstance(dataset.train, ImageFiles):
        raise ValueError(
            f"data.on_error=skip is for images in files, and data={data.name} has none: leave it"
            " out"
        )
    return _readable(dataset, dataset.train, format_data(data))


@cache
def _readable(dataset: ImageDataset, files: ImageFiles, overrides: str) -> ImageDataset:
    """Return the data set without its unreadable training files.

    The names of these files enter the fingerprint, so that the draws of an epoch stay a function of
    (seed, epoch, index) of the images that are left.

    files: the training images. overrides: what to type to name the data set.

    Raises: ValueError if there are too many files to decode now and they were never checked.
    """
    known = known_unreadable(file_sets(dataset))
    if known is None:
        raise ValueError(
            f"data.on_error=skip needs to know the unreadable files among more than"
            f" {MAX_FILES_UNASKED:,}: type clip-hparam data check {overrides}"
        )
    bad = known[0]
    if not bad:
        return dataset
    names = tuple(readable(str(files.path(i).relative_to(files.root))) for i in bad)
    kept = np.setdiff1d(np.arange(len(files)), list(bad))
    text = f"{dataset.fingerprint} without {sorted(names)}"
    return replace(
        dataset,
        train=files[kept],
        train_labels=dataset.train_labels[kept],
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        skipped=names,
        notes=(*dataset.notes, _left_out_note(names)),
    )


def refuse_unreadable(dataset: ImageDataset, data: Data) -> tuple[str, ...]:
    """Raise UnreadableFilesError with one line for each unreadable file.

    Return a sentence if there are too many files to decode now and they were never checked.
    """
    sets = file_sets(dataset)
    total = sum(map(len, sets))
    known = known_unreadable(sets)
    if known is None:
        return (
            f"the {total:,} images were not checked: clip-hparam data check {format_data(data)}"
            " decodes each of them once and lists the unreadable ones",
        )
    lines = list(dict.fromkeys(line for bad in known for line in bad.values()))
    if lines:
        remedy = how_to_repair(len(lines), outside=sum(map(len, known[1:])))
        head = f"{len(lines)} of {counted(total, 'image')} cannot be read: {remedy}"
        raise UnreadableFilesError("\n".join([head, *lines]))
    return ()


def file_sets(dataset: ImageDataset) -> list[ImageFiles]:
    """Return the sets of a data set that are read from files, the training images first."""
    sets = [dataset.train, *(eval_set.images for eval_set in dataset.eval_sets.values())]
    return [images for images in sets if isinstance(images, ImageFiles)]


def how_to_repair(found: int, outside: int) -> str:
    """Return advice about unreadable files.

    found: their number. outside: how many of them, listed last, are no training images.
    """
    if not outside:
        return "type data.on_error=skip to train without them, or repair them"
    if outside >= found:
        which = "them: none is a training image"
    else:
        which = "the last one: it is" if outside == 1 else f"the last {outside}: they are"
        which += " in the selection or test set"
    return f"repair or remove {which}, and data.on_error=skip leaves out training images only"


def _left_out_note(names: tuple[str, ...]) -> str:
    """Return how many training images are left out, and which: the first three by name."""
    images = counted(len(names), "training image")
    named = ", ".join([*names[:3], *(["..."] if len(names) > 3 else [])])
    return f"unreadable and left out (data.on_error=skip): {images} ({named})"
