"""Colours of whole batches on their device: colour jitter as torchvision's, and normalisation."""

from functools import cache
from itertools import permutations

import numpy as np
import torch
from torch import Tensor

from clip_hparam.model.normalization import NORMALIZATIONS

LUMA_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R 601, as Pillow converts to grey
JITTER_ORDERS = np.array(list(permutations(range(3))))
BRIGHTNESS, CONTRAST, SATURATION = range(3)


def normalize(levels: Tensor, normalization: str) -> Tensor:
    """Return normalised images, float32, shape (b, 3, r, r), of levels 0 to 255, (b, 1 or 3, r, r).

    levels: float32; colours are overwritten: new memory costs four times as much as the arithmetic.
    normalization: a key of NORMALIZATIONS.
    """
    shift, scale = _normalization_affine(normalization, levels.device)
    out = levels if levels.shape[1] == len(shift) else None
    return torch.addcmul(shift, levels, scale, out=out)


def jittered(levels: Tensor, order: Tensor, factors: Tensor) -> Tensor:
    """Return levels after torchvision's ColorJitter without hue, clipped to 0 to 255.

    Brightness blends an image with black, contrast with its mean grey, saturation with its grey
    version. order, factors: shape (b, 3), as in AugmentParams.
    """
    for step in range(order.shape[1]):
        kind, factor = (table[:, step, None, None, None] for table in (order, factors))
        grey = _to_grey(levels)
        mean = grey.mean(dim=(2, 3), keepdim=True)
        other = grey.where(kind == SATURATION, mean.where(kind == CONTRAST, 0.0))
        levels = torch.lerp(other, levels, factor).clamp_(0, 255)
    return levels


def _to_grey(levels: Tensor) -> Tensor:
    if levels.shape[1] == 1:
        return levels
    return (levels * _luma_weights(levels.device)).sum(dim=1, keepdim=True)


@cache
def _luma_weights(device: torch.device) -> Tensor:
    return torch.tensor(LUMA_WEIGHTS)[:, None, None].to(device, non_blocking=True)


@cache
def _normalization_affine(normalization: str, device: torch.device) -> tuple[Tensor, Tensor]:
    mean, std = (torch.tensor(values)[:, None, None] for values in NORMALIZATIONS[normalization])
    shift, scale = -mean / std, 1 / (255 * std)
    return shift.to(device, non_blocking=True), scale.to(device, non_blocking=True)
