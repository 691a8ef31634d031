"""Pillow's blend of two images and its grey levels, with the same bits.

Source: Pillow `src/libImaging/Blend.c` and `Convert.c`.
"""

import torch
from torch import Tensor


def blend(base: Tensor, levels: Tensor, factor: Tensor) -> Tensor:
    """Return `base` + `factor` x (`levels` - `base`), clipped and truncated to uint8.

    All are float32. The product is rounded before the sum, as in Pillow.
    """
    return ((levels - base) * factor).add_(base).clamp_(0, 255).to(torch.uint8)


def grey_levels(planes: Tensor) -> Tensor:
    """Return the grey versions of images, int32, shape (n, p), of uint8, shape (n, 3, p)."""
    red, green, blue = planes.to(torch.int32).unbind(1)
    return (red * 19595 + green * 38470).add_(blue * 7471).add_(0x8000) >> 16
