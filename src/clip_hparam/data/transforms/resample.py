"""Crop and resize of a whole batch as in Pillow, each image by its own box: two matrix products.

Pillow resizes one axis at a time. An output pixel is a weighted mean of input pixels, the kernel is
stretched where an axis shrinks (antialias), and pixels outside the box have weight 0. Therefore
crop, mirror and resize of an image are one small matrix for each axis. torch's `interpolate` has
another cubic kernel (a = -0.75) for enlarging, and `grid_sample` reads outside the box.

Levels are rounded after each axis, as in Pillow. The horizontal pass is always the first; Pillow 13
starts some tall boxes with the vertical pass, which differs only where a pass is clipped.
Source: Pillow `src/libImaging/Resample.c`.
"""

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor


def resample(
    images: Tensor, boxes: Tensor, flipped: Tensor, resolution: int, interpolation: str
) -> Tensor:
    """Return the boxes of images, resized: whole levels 0 to 255, float32, shape (n, c, r, r).

    images: uint8, shape (n, c, h, w).
    boxes: int64, shape (n or 1, 4): top, left, height, width in px.
    flipped: bool, shape (n or 1,), mirrors left and right.
    resolution: r in px; interpolation: a key of KERNELS.
    """
    height, width = images.shape[2:]
    across, down = (
        torch.stack(
            [axis_weights(*span, source, resolution, interpolation) for span in spans.tolist()]
        )
        for spans, source in ((boxes[:, 1::2], width), (boxes[:, 0::2], height))
    )
    across = torch.where(flipped[:, None, None], across.flip(1), across)
    rows = _round_levels(images.float() @ across.transpose(1, 2)[:, None])
    return _round_levels(down[:, None] @ rows)


@lru_cache(maxsize=1024)
def axis_weights(start: int, size: int, source: int, target: int, interpolation: str) -> Tensor:
    """Return the weights of the input pixels along one axis, float32, shape (target, source).

    Each row sums to 1. The box starts at pixel `start` and is `size` px long.
    """
    ratio = size / target
    centres = start + (torch.arange(target, dtype=torch.float64) + 0.5) * ratio
    pixels = torch.arange(start, start + size) + 0.5
    weights = KERNELS[interpolation]((pixels - centres[:, None]).abs() / max(ratio, 1))
    every = torch.zeros(target, source)
    every[:, start : start + size] = weights / weights.sum(dim=1, keepdim=True)
    return every


def bilinear(distance: Tensor) -> Tensor:
    """Return the weights of a linear kernel at distances in px, which are not negative."""
    return (1 - distance).clamp(min=0)


def bicubic(distance: Tensor) -> Tensor:
    """Return the weights of Keys' cubic kernel with a = -0.5 at distances in px."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, far.where(distance < 2, 0.0))


KERNELS: dict[str, Callable[[Tensor], Tensor]] = {"bilinear": bilinear, "bicubic": bicubic}


def centred_square(height: int, width: int) -> Tensor:
    """Return the largest centred square of an image as a box, int64, shape (1, 4)."""
    side = min(height, width)
    return torch.tensor([[(height - side) // 2, (width - side) // 2, side, side]])


def _round_levels(values: Tensor) -> Tensor:
    return values.add_(0.5).floor_().clamp_(0, 255)
