"""Operations that give each level of a plane another level: tables of 256 entries.

Source: Pillow `ImageOps.py` and `ImageEnhance.py`; timm `solarize_add`.
"""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clip_hparam.data.device import to_device
from clip_hparam.data.transforms.rand_augment.blending import blend
from clip_hparam.data.transforms.rand_augment.operations import Kind, Values

LEVELS = np.arange(256)
BITS = np.arange(9)[:, None]
THRESHOLDS = np.arange(257)[:, None]
ADDED = np.arange(129)[:, None]
FIRST_ROWS = {Kind.INVERT: 0, Kind.POSTERIZE: 1, Kind.SOLARIZE: 10, Kind.SOLARIZE_ADD: 267}
"""Rows of the fixed tables: one, then one for each number of bits, threshold and added level."""


@cache
def fixed_tables(device: torch.device) -> Tensor:
    """Return the tables of operations that do not depend on the image, uint8, shape (396, 256)."""
    tables = [
        255 - LEVELS[None],
        LEVELS >> (8 - BITS) << (8 - BITS),
        np.where(LEVELS < THRESHOLDS, LEVELS, 255 - LEVELS),
        np.where(LEVELS < 128, np.minimum(LEVELS + ADDED, 255), LEVELS),
    ]
    return to_device(torch.from_numpy(np.concatenate(tables).astype(np.uint8)), device)


def fixed_rows(kinds: NDArray[np.int64], arguments: Values) -> NDArray[np.int64]:
    """Return the row of each operation in the fixed tables; its kind is a key of FIRST_ROWS."""
    first = np.zeros(len(Kind), np.int64)
    first[list(FIRST_ROWS)] = list(FIRST_ROWS.values())
    bounded = np.where(kinds == Kind.POSTERIZE, np.clip(arguments, 0, 8), arguments)
    return first[kinds] + bounded.astype(np.int64)


def blend_tables(means: Tensor, factors: Tensor) -> Tensor:
    """Return the tables of blends with a grey level, for contrast and brightness.

    The result is uint8, shape (n, 256).

    means: float32, shape (n,): the rounded mean grey of the image; factors: float32, shape (n,).
    """
    levels = torch.arange(256, device=means.device, dtype=torch.float32)
    return blend(means[:, None], levels, factors[:, None])


def rounded_means(levels: Tensor) -> Tensor:
    """Return the mean of each row of integers, rounded half up, float32, shape (n,)."""
    count = levels.shape[1]
    return ((2 * levels.sum(1) + count) // (2 * count)).float()


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
    one = torch.ones(1, dtype=torch.int32, device=device).expand(count * pixels)
    histogram = torch.zeros(count * 256, dtype=torch.int32, device=device)
    histogram = histogram.scatter_add_(0, (levels + first).view(-1), one).view(count, 256)
    last = histogram.gather(1, planes.amax(1, keepdim=True).long())
    step = (pixels - last) // 255
    below = histogram.cumsum(1, dtype=torch.int32) - histogram
    # exact in float64, which divides faster than integers
    flat = ((step // 2 + below).double() / step.clamp(min=1)).clamp_(max=255)
    same = torch.arange(256, dtype=torch.float64, device=device)
    return torch.where(step > 0, flat, same).to(torch.uint8)
