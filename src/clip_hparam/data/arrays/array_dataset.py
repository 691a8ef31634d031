"""A data set of arrays in memory, with a test set of its own."""

import hashlib
from typing import NamedTuple

import numpy as np

from clip_hparam.data.dataset import TEST, TRAIN, EvalSet, ImageArray, ImageDataset, Labels


class LabelledArray(NamedTuple):
    """Images, uint8, shape (n, channels, height, width), and labels, int64, shape (n,)."""

    images: ImageArray
    labels: Labels


def to_dataset(
    classes: tuple[str, ...], train: LabelledArray, test: LabelledArray, source: str
) -> ImageDataset:
    """Return the data set; its fingerprint is that of the pixels and the labels.

    Raises: ValueError for a label that is no class, or a class without a training image.
    """
    digest = hashlib.sha256()
    for name, part in ((TRAIN, train), (TEST, test)):
        if len(part.labels) and not 0 <= part.labels.min() <= part.labels.max() < len(classes):
            raise ValueError(
                f"{source}: the labels of {name} are not all below {len(classes)}, the number of"
                " classes: unpack the data set again"
            )
        digest.update(part.images.tobytes() + part.labels.tobytes())
    empty = np.flatnonzero(np.bincount(train.labels, minlength=len(classes)) == 0)
    if len(empty):
        raise ValueError(
            f"{source}: class {classes[int(empty[0])]} has no training image: unpack the data set"
            " again"
        )
    return ImageDataset(
        classes=classes,
        train=train.images,
        train_labels=train.labels,
        eval_sets={TEST: EvalSet(test.images, test.labels)},
        fingerprint=digest.hexdigest(),
        sources={TRAIN: source, TEST: source},
    )
