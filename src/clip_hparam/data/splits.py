"""Which images train, select and test: stratified draws that depend on (labels, seed) alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip_hparam.data.dataset import Indices, Labels
from clip_hparam.rng import stream


@dataclass(frozen=True)
class Split:
    """Indices into the training pool; the test set is the source's own, the same for all seeds."""

    train: Indices
    selection: Indices


def stratified_split(labels: Labels, shots: int, selection: float, seed: int) -> Split:
    """Draw the selection set and `shots` training images of each class (0: all the rest).

    The selection images are drawn first, so they are the same whatever the number of shots.
    Raises ValueError as `sizes` does.
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
    """How many images of each class train, and how many select; the same for every seed.

    `selection` below 1 is a share of each class and at least one image of it, else a number of
    images a class. Raises ValueError if a class is too small.
    """
    members = np.bincount(labels)
    share = np.maximum(np.rint(selection * members), 1)
    held = (share if selection < 1 else np.full(len(members), selection)).astype(np.int64)
    rest = members - held
    small = np.flatnonzero(rest < max(shots, 1))
    if len(small):
        raise ValueError(
            f"data.shots={shots} and data.selection={selection:g} ask for more than the"
            f" {members[small[0]]} training images of class {small[0]}: try a smaller data.shots"
        )
    return np.full(len(rest), shots) if shots else rest, held
