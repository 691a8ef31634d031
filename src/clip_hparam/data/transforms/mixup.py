"""Targets, and mixup and cutmix of a batch with its own reverse (timm `data/mixup.py`)."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from clip_hparam.data.dataset import Indices
from clip_hparam.rng import stream

SWITCH_PROB = 0.5  # share of batches that get cutmix where both are on, as in timm


@dataclass(frozen=True)
class MixParams:
    """How one batch is mixed: weight of an image's own target, and the box, if it is cutmix."""

    own: float
    box: tuple[int, int, int, int] | None  # top, bottom, left, right in px


def soft_targets(labels: Tensor, classes: int, smoothing: float) -> Tensor:
    """(batch, classes): smoothing / classes everywhere, 1 - smoothing more at the label."""
    targets = torch.full((len(labels), classes), smoothing / classes)
    return targets.scatter_add_(1, labels[:, None], torch.full((len(labels), 1), 1 - smoothing))


def sample_mix_params(
    seed: int, epoch: int, step: int, mixup: float, cutmix: float, resolution: int
) -> MixParams | None:
    """The mixing of one optimiser step, or None where both strengths are 0."""
    if not mixup and not cutmix:
        return None
    generator = stream(seed, epoch, f"mix {step}")
    cut = bool(cutmix) and (not mixup or generator.random() < SWITCH_PROB)
    strength = cutmix if cut else mixup
    own = float(generator.beta(strength, strength))
    if not cut:
        return MixParams(own, None)
    row, column = generator.integers(resolution, size=2).tolist()
    return cutmix_params(row, column, own, resolution)


def cutmix_params(row: int, column: int, own: float, resolution: int) -> MixParams:
    """The square of share 1 - own around a centre, cut at the border; own is then what is left."""
    side = int(np.sqrt(1 - own) * resolution)
    top, left = max(row - side // 2, 0), max(column - side // 2, 0)
    bottom = min(row + (side + 1) // 2, resolution)
    right = min(column + (side + 1) // 2, resolution)
    return MixParams(
        1 - (bottom - top) * (right - left) / resolution**2, (top, bottom, left, right)
    )


def rows_needed(rows: Indices, batch: int) -> Indices:
    """What mixing some rows of a batch takes: the rows and their mirror images, sorted.

    A batch of these alone, mixed with its own reverse, has the rows as the whole batch has them.
    """
    return np.union1d(rows, batch - 1 - rows)


def apply_mix(images: Tensor, targets: Tensor, how: MixParams) -> tuple[Tensor, Tensor]:
    """Image i of the batch with image -1 - i: blended, or with the box pasted in."""
    other = images.flip(0)
    if how.box is None:
        mixed = torch.lerp(other, images, how.own)
    else:
        top, bottom, left, right = how.box
        mixed = images.clone()
        mixed[:, :, top:bottom, left:right] = other[:, :, top:bottom, left:right]
    return mixed, torch.lerp(targets.flip(0), targets, how.own)
