"""Stratified draws of training and selection images: a function of (labels, seed) only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip_hparam.config.text.count import counted
from clip_hparam.data.dataset import Indices, Labels
from clip_hparam.data.folders.names import readable
from clip_hparam.rng import stream


@dataclass(frozen=True)
class Split:
    """Sorted indices into the training images of the data set."""

    train: Indices
    selection: Indices


def stratified_split(
    labels: Labels, shots: int, selection: float, seed: int, classes: Sequence[str] = ()
) -> Split:
    """Draw the selection set and `shots` training images of each class (0: all that remain).

    Selection images are drawn first and therefore do not depend on the number of shots.

    Raises: ValueError as `split_sizes` does.
    """
    generator = stream(seed, 0, "split")
    train, held = split_sizes(labels, shots, selection, classes)
    first = np.cumsum(np.bincount(labels, minlength=len(train)))[:-1]
    members = np.split(np.argsort(labels, kind="stable"), first)
    shuffled = [generator.permutation(member) for member in members]
    parts = list(zip(shuffled, held, train, strict=True))
    return Split(
        np.sort(np.concatenate([member[kept : kept + used] for member, kept, used in parts])),
        np.sort(np.concatenate([member[:kept] for member, kept, _ in parts])),
    )


def split_sizes(
    labels: Labels, shots: int, selection: float, classes: Sequence[str] = ()
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many images of each class train and how many select, each of shape (classes,).

    selection: below 1 a share of each class, at least one image; else a number of images a class;
        0: none.
    classes: names for the error message.

    Raises: ValueError if a class is too small, and for a number of images that is not whole.
    """
    if selection >= 1 and not float(selection).is_integer():
        raise ValueError(
            f"data.selection={selection:g} is neither a share below 1 nor a whole number of images"
            f" of each class: try data.selection={int(selection)}"
        )
    members = np.bincount(labels, minlength=len(classes))
    share = np.maximum(np.rint(selection * members), 1)
    held = (share if 0 < selection < 1 else np.full(len(members), selection)).astype(np.int64)
    remaining = members - held
    small = np.flatnonzero(remaining < max(shots, 1))
    if len(small):
        raise ValueError(_too_small_message(members, small, shots, selection, classes))
    return np.full(len(remaining), shots) if shots else remaining, held


def _too_small_message(
    members: Indices, small: Indices, shots: int, selection: float, classes: Sequence[str]
) -> str:
    first = int(small[0])
    name = readable(classes[first]) if classes else str(first)
    others = f" (and {len(small) - 1} more)" if len(small) > 1 else ""
    remedy = "a smaller data.shots" if shots else "a smaller data.selection, or more images"
    return (
        f"data.shots={shots} and data.selection={selection:g} ask for more than the"
        f" {counted(int(members[first]), 'training image')} of class {name}{others}: try {remedy}"
    )
