"""Operations on the neighbours of a pixel: sharpness and Gaussian blur, with the bits of Pillow.

Source: Pillow `src/libImaging/Filter.c` and `BoxBlur.c`.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from clip_hparam.data.transforms.rand_augment.blending import blend
from clip_hparam.data.transforms.rand_augment.operations import Values

SMOOTH_SUM = 13  # sum of Pillow's SMOOTH: 5 in the middle, 1 around
BOX_PASSES = 3  # box blurs along each axis that make a Gaussian blur
REACH = 2  # px that a box blur reaches to each side at the largest radius of timm, 2
ONE = 1 << 24  # 1 in the fixed-point numbers of Pillow's box blur


def sharpen(planes: Tensor, factors: Tensor) -> Tensor:
    """Return blends of planes with their smoothed versions; the border stays.

    planes: uint8, shape (n, h, w); factors: float32, shape (n,).
    """
    levels = planes.float()
    rows = levels[:, :-2] + levels[:, 1:-1] + levels[:, 2:]
    total = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:] + 4 * levels[:, 1:-1, 1:-1]
    smooth = levels.clone()
    # no tie: a sum of whole levels is never 6.5 more than a multiple of 13
    smooth[:, 1:-1, 1:-1] = (total * (1 / SMOOTH_SUM)).add_(0.5).floor_()
    return blend(smooth, levels, factors[:, None, None])


def box_weights(radii: Values) -> NDArray[np.int64]:
    """Return the weights of one box blur of three, shape (n, 2 * REACH + 1), in units of 1 / ONE.

    radii: standard deviations of the Gaussian blur in px.
    """
    sigma2 = radii.astype(np.float32) ** 2 / np.float32(BOX_PASSES)
    length = np.sqrt(12.0 * sigma2.astype(np.float64) + 1.0).astype(np.float32)
    whole = np.floor((length - 1) / 2)
    edge = (2 * whole + 1) * (whole * (whole + 1) - 3 * sigma2)
    edge = edge / (6 * (sigma2 - (whole + 1) * (whole + 1)))
    full = np.trunc(np.float32(ONE) / ((whole + edge) * 2 + 1)).astype(np.int64)
    part = (ONE - (2 * whole.astype(np.int64) + 1) * full) // 2
    distance = np.abs(np.arange(-REACH, REACH + 1))
    inner, outer = distance <= whole[:, None], distance == whole[:, None] + 1
    return np.where(inner, full[:, None], np.where(outer, part[:, None], 0))


def gaussian_blur(planes: Tensor, weights: Tensor) -> Tensor:
    """Return planes after three box blurs along each axis; a pixel outside repeats the border.

    planes: uint8, shape (n, h, w); weights: int64, shape (n, 2 * REACH + 1), see `box_weights`.
    """
    levels = planes.long()
    for _ in range(2):
        for _ in range(BOX_PASSES):
            levels = _box_blur(levels, weights)
        levels = levels.transpose(1, 2)
    return levels.to(torch.uint8, memory_format=torch.contiguous_format)


def _box_blur(levels: Tensor, weights: Tensor) -> Tensor:
    padded = F.pad(levels.float(), (REACH, REACH), mode="replicate").long()
    total = sum(
        padded[:, :, place : place + levels.shape[2]] * weights[:, place, None, None]
        for place in range(2 * REACH + 1)
    )
    assert isinstance(total, Tensor)
    return (total + ONE // 2) >> 24
