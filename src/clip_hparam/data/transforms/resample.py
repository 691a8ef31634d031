"""Pillow's crop and resize of a whole batch, each image by its own box, as two matrix products.

Pillow resizes an axis at a time: each output pixel is a weighted mean of input pixels, the kernel
is stretched where an axis shrinks (antialias), and pixels outside the box have no weight. So a
crop, a mirror and a resize are one small matrix an axis and an image. torch's own `interpolate`
has another cubic kernel (a = -0.75) where it enlarges, and `grid_sample` reads outside the box.
Source: Pillow `src/libImaging/Resample.c`; levels are rounded after each axis, as there. All boxes
go across before down; Pillow 13 turns some tall ones round, which shows where a pass is clipped.
"""

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor


def resample(
    images: Tensor, boxes: Tensor, flipped: Tensor, resolution: int, interpolation: str
) -> Tensor:
    """Boxes of uint8 images (n, c, h, w) at resolution x resolution, as whole levels 0 to 255.

    `boxes` (n or 1, 4) hold top, left, height and width in px; `flipped` (n or 1,) mirrors.
    Returns float32, shape (n, c, resolution, resolution).
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
    """Weights (target, source) of the input pixels of a box along one axis; each row sums to 1."""
    ratio = size / target
    centres = start + (torch.arange(target, dtype=torch.float64) + 0.5) * ratio
    pixels = torch.arange(start, start + size) + 0.5
    weights = KERNELS[interpolation]((pixels - centres[:, None]).abs() / max(ratio, 1))
    every = torch.zeros(target, source)
    every[:, start : start + size] = weights / weights.sum(dim=1, keepdim=True)
    return every


def bilinear(distance: Tensor) -> Tensor:
    return (1 - distance).clamp(min=0)


def bicubic(distance: Tensor) -> Tensor:
    """Keys' cubic with a = -0.5."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, far.where(distance < 2, 0.0))


KERNELS: dict[str, Callable[[Tensor], Tensor]] = {"bilinear": bilinear, "bicubic": bicubic}


def centred_square(height: int, width: int) -> Tensor:
    """The box of an evaluation at crop share 1, shape (1, 4): the largest square in the middle."""
    side = min(height, width)
    return torch.tensor([[(height - side) // 2, (width - side) // 2, side, side]])


def _round_levels(values: Tensor) -> Tensor:
    return values.add_(0.5).floor_().clamp_(0, 255)
