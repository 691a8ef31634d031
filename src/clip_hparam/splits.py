"""Which images train, select and test: stratified draws that depend on (labels, seed) alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip_hparam.draws import stream

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Indices into the training pool; the test set is the source's own, the same for all seeds."""

    train: Indices
    selection: Indices


def draw(labels: NDArray[np.int64], shots: int, selection: float, seed: int) -> Split:
    """Draw the selection set and `shots` training images of each class (0: all the rest).

    `selection` below 1 is a share of each class, else a number of images a class. The selection
    images are drawn first, so they are the same whatever the number of shots. Raises ValueError
    if a class is too small.
    """
    generator = stream(seed, 0, "split")
    train: list[Indices] = []
    held: list[Indices] = []
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        kept = round(selection * len(members)) if selection < 1 else int(selection)
        rest = members[kept:]
        if len(rest) < max(shots, 1):
            raise ValueError(
                f"data.shots={shots} and data.selection={selection:g} ask for more than the"
                f" {len(members)} training images of class {label}: try a smaller data.shots"
            )
        held.append(members[:kept])
        train.append(rest[:shots] if shots else rest)
    return Split(np.sort(np.concatenate(train)), np.sort(np.concatenate(held)))
