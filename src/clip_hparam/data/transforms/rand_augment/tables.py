"""Operations that give each level of a plane another level: tables of 256 entries.

Source: Pillow `ImageOps.py` and `ImageEnhance.py`; timm `solarize_add`.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clip_hparam.data.transforms.rand_augment.blending import blend
from clip_hparam.data.transforms.rand_augment.operations import Kind, Values

LEVELS = np.arange(256)


def fixed_tables(kinds: NDArray[np.int64], arguments: Values) -> NDArray[np.uint8]:
    """Return the tables of operations that do not depend on the image, shape (n, 256).

    kinds: BRIGHTNESS, INVERT, POSTERIZE, SOLARIZE or SOLARIZE_ADD.
    """
    tables = np.empty((len(kinds), len(LEVELS)), np.uint8)
    for kind in np.unique(kinds):
        chosen = kinds == kind
        argument = arguments[chosen, None]
        tables[chosen] = FIXED[Kind(kind)](argument)
    return tables


def _brightness(factor: Values) -> Values:
    return np.minimum(factor.astype(np.float32) * LEVELS.astype(np.float32), 255)


def _posterize(bits: Values) -> NDArray[np.int64]:
    removed = (8 - np.clip(bits, 0, 8)).astype(np.int64)
    return LEVELS >> removed << removed


def _solarize(threshold: Values) -> NDArray[np.int64]:
    return np.where(threshold > LEVELS, LEVELS, 255 - LEVELS)


def _solarize_add(added: Values) -> Values:
    return np.where(LEVELS < 128, np.minimum(LEVELS + added, 255), LEVELS)


FIXED = {
    Kind.BRIGHTNESS: _brightness,
    Kind.INVERT: lambda nothing: 255 - LEVELS + 0 * nothing,
    Kind.POSTERIZE: _posterize,
    Kind.SOLARIZE: _solarize,
    Kind.SOLARIZE_ADD: _solarize_add,
}


def contrast_tables(means: Tensor, factors: Tensor) -> Tensor:
    """Return the tables of blends with a grey level, uint8, shape (n, 256).

    means: int64, shape (n,), the rounded mean grey of the image; factors: float32, shape (n,).
    """
    levels = torch.arange(256, device=means.device, dtype=torch.float32)
    return blend(means[:, None].float(), levels, factors[:, None])


def rounded_means(levels: Tensor) -> Tensor:
    """Return the mean of each row of integers, rounded half up, int64, shape (n,)."""
    count = levels.shape[1]
    return (2 * levels.sum(1) + count) // (2 * count)


def auto_contrast_tables(planes: Tensor) -> Tensor:
    """Return the tables that stretch each plane to 0 to 255, uint8, shape (n, 256).

    planes: uint8, shape (n, pixels). A plane of a single level stays.
    """
    low, high = (bound[:, None].double() for bound in (planes.amin(1), planes.amax(1)))
    levels = torch.arange(256, device=planes.device, dtype=torch.float64)
    scale = torch.full_like(high, 255) / (high - low)  # 255 / x is 255 * (1 / x) in torch
    stretched = (levels * scale + -low * scale).clamp_(0, 255)
    return torch.where(high > low, stretched, levels).to(torch.uint8)


def equalize_tables(planes: Tensor) -> Tensor:
    """Return the tables that make the histogram of each plane flat, uint8, shape (n, 256).

    planes: uint8, shape (n, pixels). A plane of a single level, or of few pixels, stays.
    """
    count, pixels = planes.shape
    device = planes.device
    levels = planes.long()
    first = torch.arange(0, 256 * count, 256, device=device)[:, None]
    one = torch.ones(1, dtype=torch.int64, device=device).expand(count * pixels)
    histogram = torch.zeros(count * 256, dtype=torch.int64, device=device)
    histogram = histogram.scatter_add_(0, (levels + first).view(-1), one).view(count, 256)
    last = histogram.gather(1, levels.amax(1, keepdim=True))
    step = (pixels - last) // 255
    below = histogram.cumsum(1) - histogram
    flat = ((step // 2 + below) // step.clamp(min=1)).clamp_(max=255)
    same = torch.arange(256, device=device)
    return torch.where(step > 0, flat, same).to(torch.uint8)
