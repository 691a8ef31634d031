"""Soft targets, mixup and cutmix of the rows of a batch, in pairs.

PAIRS are the values of `mix_pairs`. Adjacent rows, 2k with 2k + 1, are rows of one rank, which
reads no others. Mirrored rows, i with b - 1 - i as in timm, are not.

Source: timm 1.0.31, `data/mixup.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from clip_hparam.data.dataset import Indices
from clip_hparam.rng import stream

SWITCH_PROB = 0.5  # probability of cutmix where mixup and cutmix are both on, as in timm


@dataclass(frozen=True)
class MixParams:
    """How one batch is mixed.

    lam: weight of an image's own target, in [0, 1].
    box: top, bottom, left, right in px of the pasted box; None: mixup.
    """

    lam: float
    box: tuple[int, int, int, int] | None


def soft_targets(labels: Tensor, classes: int, smoothing: float) -> Tensor:
    """Return smoothed targets, float32, shape (b, classes), of labels, int64, shape (b,).

    Each entry is smoothing / classes; the entry of the label is 1 - smoothing larger.
    """
    device = labels.device
    targets = torch.full((len(labels), classes), smoothing / classes, device=device)
    own = torch.full((len(labels), 1), 1 - smoothing, device=device)
    return targets.scatter_add_(1, labels[:, None], own)


def sample_mix_params(
    seed: int, epoch: int, step: int, mixup: float, cutmix: float, resolution: int
) -> MixParams | None:
    """Draw the mixing of one optimizer step; None where both alphas are 0.

    mixup, cutmix: alpha of the beta distribution.
    resolution: side of the images in px.
    """
    if not mixup and not cutmix:
        return None
    generator = stream(seed, epoch, f"mix {step}")
    cut = bool(cutmix) and (not mixup or generator.random() < SWITCH_PROB)
    alpha = cutmix if cut else mixup
    lam = float(generator.beta(alpha, alpha))
    if not cut:
        return MixParams(lam, None)
    row, column = generator.integers(resolution, size=2).tolist()
    return cutmix_params(row, column, lam, resolution)


def cutmix_params(row: int, column: int, lam: float, resolution: int) -> MixParams:
    """Return the box of area share 1 - lam around a centre, clipped at the border of the image.

    The lam of the result is the share of the image outside the clipped box.
    """
    side = int(np.sqrt(1 - lam) * resolution)
    top, left = max(row - side // 2, 0), max(column - side // 2, 0)
    bottom = min(row + (side + 1) // 2, resolution)
    right = min(column + (side + 1) // 2, resolution)
    return MixParams(
        1 - (bottom - top) * (right - left) / resolution**2, (top, bottom, left, right)
    )


def rows_needed(rows: Indices, batch: int) -> Indices:
    """Return the sorted rows that mixing mirrored rows reads: `rows` and their partners.

    A batch of these rows alone, mixed with its own reverse, gives `rows` the same values as the
    whole batch.
    """
    return np.union1d(rows, batch - 1 - rows)


def partners_mirrored(rows: Tensor) -> Tensor:
    """Return row -1 - i at each place i."""
    return rows.flip(0)


def partners_adjacent(rows: Tensor) -> Tensor:
    """Return row 2k + 1 at place 2k and row 2k at place 2k + 1, of an even number of rows."""
    return rows.reshape(-1, 2, *rows.shape[1:]).flip(1).flatten(0, 1)


PAIRS: dict[str, Callable[[Tensor], Tensor]] = {
    "adjacent": partners_adjacent,
    "mirrored": partners_mirrored,
}


def apply_mix(
    images: Tensor, targets: Tensor, params: MixParams, pairs: str
) -> tuple[Tensor, Tensor]:
    """Return each image mixed with its partner, and the mixed targets.

    images: float32, shape (b, 3, r, r); targets: float32, shape (b, classes).
    pairs: a key of PAIRS.
    """
    partners = PAIRS[pairs]
    other = partners(images)
    if params.box is None:
        mixed = torch.lerp(other, images, params.lam)
    else:
        top, bottom, left, right = params.box
        mixed = images.clone()
        mixed[:, :, top:bottom, left:right] = other[:, :, top:bottom, left:right]
    return mixed, torch.lerp(partners(targets), targets, params.lam)
