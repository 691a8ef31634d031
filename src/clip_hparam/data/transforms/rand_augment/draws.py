"""The operations of each image of an epoch, as functions of (seed, epoch, position)."""

import numpy as np
from numpy.typing import NDArray

from clip_hparam.data.transforms.rand_augment.operations import OPERATIONS, Kind, Values
from clip_hparam.data.transforms.rand_augment.policy import Policy
from clip_hparam.rng import stream, uniform

Uniform = NDArray[np.float32]
Kinds = NDArray[np.int64]
"""Members of Kind by position and layer, shape (n, layers); NONE follows the applied operations."""


def sample_operations(
    policy: Policy,
    seed: int,
    epoch: int,
    images: int,
    rows: slice | NDArray[np.int64] = slice(None),
) -> tuple[Kinds, NDArray[np.float64]]:
    """Return the operations of positions and their arguments, both of shape (n, layers).

    images: positions of the epoch; rows: those of them that are returned.
    """
    columns = len(policy.names) if policy.weights else policy.layers
    chosen = choose(policy, uniform(seed, epoch, "rand_augment choice", images, columns)[rows])
    numbers = uniform(seed, epoch, "rand_augment layer", images, 3 * policy.layers)[rows]
    skipping, signing, placing = np.split(numbers, 3, axis=1)
    draw_normal = stream(seed, epoch, "rand_augment magnitude").standard_normal
    normal = draw_normal((images, policy.layers))[rows]
    shape = normal.shape
    levels, signs = magnitudes(policy, placing, normal), np.where(signing > 0.5, -1.0, 1.0)
    kinds, arguments = np.full(shape, Kind.NONE, np.int64), np.zeros(shape)
    for place, name in enumerate(policy.names):
        applied = (chosen == place) & ((skipping <= policy.probability) | (policy.probability == 1))
        kinds[applied] = OPERATIONS[name].kind
        arguments[applied] = OPERATIONS[name].argument(levels[applied], signs[applied])
    order = np.argsort(kinds == Kind.NONE, axis=1, kind="stable")
    return np.take_along_axis(kinds, order, 1), np.take_along_axis(arguments, order, 1)


def choose(policy: Policy, numbers: Uniform) -> NDArray[np.int64]:
    """Return the index of the operation of each layer, shape (n, layers).

    With weights no operation is drawn twice: the order of exponential waiting times has the
    distribution of drawing one after the other, as `numpy.random.choice` does.
    """
    if policy.weights is None:
        return (numbers.astype(np.float64) * len(policy.names)).astype(np.int64)
    waiting = -np.log1p(-numbers.astype(np.float64)) / np.array(policy.weights)
    return np.argsort(waiting, axis=1, kind="stable")[:, : policy.layers]


def magnitudes(policy: Policy, numbers: Uniform, normal: NDArray[np.float64]) -> Values:
    """Return magnitudes in [0, policy.highest] of uniform and standard normal numbers."""
    if np.isinf(policy.deviation):
        levels = numbers.astype(np.float64) * policy.magnitude
    else:
        levels = policy.magnitude + policy.deviation * normal
    return np.clip(levels, 0, policy.highest)
