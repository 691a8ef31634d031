"""Random erasing of a batch: a box of each image is filled with normal noise."""

from functools import cache

import numpy as np
import torch
from torch import Tensor


def erase(pixels: Tensor, boxes: Tensor, offsets: Tensor) -> None:
    """Fill the box of each image in place with normal noise: a window of one fixed noise field.

    pixels: float32, shape (b, 3, r, r); boxes: (b, 4), top, left, height, width, no effect where
    the height is 0; offsets: (b, 2), top and left of the window.
    """
    if pixels.device.type == "cpu":
        _erase_one_by_one(pixels, boxes, offsets)
    else:
        _erase_at_once(pixels, boxes, offsets)


def _erase_one_by_one(pixels: Tensor, boxes: Tensor, offsets: Tensor) -> None:
    """Erase in a loop over the boxes, which reads their values: fast on a CPU."""
    field = _noise_field(2 * pixels.shape[-1], pixels.device)
    affected = boxes[:, 2].nonzero()[:, 0].tolist()
    for image, (top, left, tall, wide), (down, right) in zip(
        affected, boxes[affected].tolist(), offsets[affected].tolist(), strict=True
    ):
        window = field[:, down : down + tall, right : right + wide]
        pixels[image, :, top : top + tall, left : left + wide] = window


def _erase_at_once(pixels: Tensor, boxes: Tensor, offsets: Tensor) -> None:
    """Erase with the same result, without reading a value on the host."""
    side = pixels.shape[-1]
    field = _noise_field(2 * side, pixels.device)
    line = torch.arange(side, device=pixels.device)
    places = line - boxes[:, :2, None]  # rows and columns inside the box, shape (b, 2, r)
    inside = (places >= 0) & (places < boxes[:, 2:, None])
    down, right = (places + offsets[:, :, None]).clamp(0, 2 * side - 1).unbind(1)
    window = field[:, down[:, :, None], right[:, None, :]].transpose(0, 1)
    erased = inside[:, 0, None, :, None] & inside[:, 1, None, None, :]
    pixels.copy_(torch.where(erased, window, pixels))


@cache
def _noise_field(side: int, device: torch.device) -> Tensor:
    drawn = np.random.default_rng(side).standard_normal((3, side, side), dtype=np.float32)
    return torch.from_numpy(drawn).to(device, non_blocking=True)
