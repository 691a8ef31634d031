"""Stratified draws of training and selection images: a function of (labels, seed) alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip_hparam.data.dataset import Indices, Labels
from clip_hparam.rng import stream


@dataclass(frozen=True)
class Split:
    """Sorted indices into the training images of the data set."""

    train: Indices
    selection: Indices


def stratified_split(labels: Labels, shots: int, selection: float, seed: int) -> Split:
    """Draw the selection set and `shots` training images of each class (0: all that remain).

    Selection images are drawn first and therefore do not depend on the number of shots.

    Raises: ValueError as `split_sizes` does.
    """
    generator = stream(seed, 0, "split")
    train, held = split_sizes(labels, shots, selection)
    first = np.cumsum(np.bincount(labels, minlength=len(train)))[:-1]
    members = np.split(np.argsort(labels, kind="stable"), first)
    shuffled = [generator.permutation(member) for member in members]
    parts = list(zip(shuffled, held, train, strict=True))
    return Split(
        np.sort(np.concatenate([member[kept : kept + used] for member, kept, used in parts])),
        np.sort(np.concatenate([member[:kept] for member, kept, _ in parts])),
    )


def split_sizes(
    labels: Labels, shots: int, selection: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many images of each class train and how many select, each of shape (classes,).

    selection: below 1 a share of each class, at least one image; else a number of images a class.

    Raises: ValueError if a class is too small.
    """
    members = np.bincount(labels)
    share = np.maximum(np.rint(selection * members), 1)
    held = (share if selection < 1 else np.full(len(members), selection)).astype(np.int64)
    remaining = members - held
    small = np.flatnonzero(remaining < max(shots, 1))
    if len(small):
        raise ValueError(
            f"data.shots={shots} and data.selection={selection:g} ask for more than the"
            f" {members[small[0]]} training images of class {small[0]}: try a smaller data.shots"
        )
    return np.full(len(remaining), shots) if shots else remaining, held
