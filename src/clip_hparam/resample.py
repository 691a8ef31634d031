"""Pillow's crop and resize of a whole batch, each image by its own box, as two matrix products.

Pillow resizes an axis at a time: each output pixel is a weighted mean of input pixels, the kernel
is stretched where an axis shrinks (antialias), and pixels outside the box have no weight. So a
crop, a mirror and a resize are one small matrix an axis and an image. torch's own `interpolate`
has another cubic kernel (a = -0.75) where it enlarges, and `grid_sample` reads outside the box.
Source: Pillow `src/libImaging/Resample.c`; levels are rounded after each axis, as there. All boxes
go across before down; Pillow 13 turns some tall ones round, which shows where a pass is clipped.
"""

from collections.abc import Callable

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
    top, left, tall, wide = boxes.float().unbind(1)
    across = taps(left, wide, width, resolution, interpolation)
    across = torch.where(flipped[:, None, None], across.flip(1), across)
    down = taps(top, tall, height, resolution, interpolation)
    rows = _levels(images.float() @ across.transpose(1, 2)[:, None])
    return _levels(down[:, None] @ rows)


def taps(start: Tensor, size: Tensor, source: int, target: int, interpolation: str) -> Tensor:
    """Weights (n, target, source) of the input pixels along one axis; each row sums to 1."""
    kernel = KERNELS[interpolation]
    ratio = (size / target)[:, None]
    stretch = ratio.clamp(min=1)[:, :, None]
    centres = start[:, None] + (torch.arange(target) + 0.5) * ratio
    pixels = torch.arange(source) + 0.5
    within = (pixels > start[:, None]) & (pixels < (start + size)[:, None])
    weights = kernel((pixels - centres[:, :, None]).abs_().div_(stretch)).mul_(within[:, None])
    return weights.div_(weights.sum(dim=2, keepdim=True))


def bilinear(distance: Tensor) -> Tensor:
    return (1 - distance).clamp_(min=0)


def bicubic(distance: Tensor) -> Tensor:
    """Keys' cubic with a = -0.5."""
    square = distance * distance
    near = (1.5 * distance).sub_(2.5).mul_(square).add_(1)
    outer = distance.clamp(max=2)
    far = (-0.5 * outer).add_(2.5).mul_(outer).sub_(4).mul_(outer).add_(2)
    return torch.where(distance < 1, near, far)


KERNELS: dict[str, Callable[[Tensor], Tensor]] = {"bilinear": bilinear, "bicubic": bicubic}


def centred_square(height: int, width: int) -> Tensor:
    """The box of an evaluation at crop share 1, shape (1, 4): the largest square in the middle."""
    side = min(height, width)
    return torch.tensor([[(height - side) // 2, (width - side) // 2, side, side]])


def _levels(values: Tensor) -> Tensor:
    return values.add_(0.5).floor_().clamp_(0, 255)
