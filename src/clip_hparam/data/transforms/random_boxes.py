"""Random rectangles as timm draws them: whole pixels, and another try where one does not fit.

Source: timm 1.0.31, `RandomResizedCropAndInterpolation.get_params` and `RandomErasing._erase`.
"""

import numpy as np
from numpy.typing import NDArray

MAX_TRIES = 10
DRAWS_PER_BOX = 2 * MAX_TRIES + 2  # area and aspect of each try, then the place
CROP_RATIO = (3 / 4, 4 / 3)
ERASED_AREA = (0.02, 1 / 3)
ERASED_RATIO = (0.3, 1 / 0.3)
UniformArray = NDArray[np.float32]
Boxes = NDArray[np.int64]
"""Shape (n, 4): top, left, height, width in px."""


def random_crop_boxes(draws: UniformArray, height: int, width: int, least: float) -> Boxes:
    """Boxes of random resized crops, from draws (n, COLUMNS); `least` is the smallest area share.

    Where no try fits, the largest box in the middle whose aspect is legal.
    """
    boxes, found = _sample_boxes(draws, height, width, (least, 1.0), CROP_RATIO, (height, width))
    boxes[~found] = _fallback_crop(height, width)
    return boxes


def random_erase_boxes(draws: UniformArray, side: int) -> Boxes:
    """Boxes of random erasing in square images; where no try fits, a box of no height."""
    boxes, found = _sample_boxes(draws, side, side, ERASED_AREA, ERASED_RATIO, (side - 1, side - 1))
    boxes[~found] = 0
    return boxes


def _sample_boxes(
    draws: UniformArray,
    height: int,
    width: int,
    area: tuple[float, float],
    ratio: tuple[float, float],
    largest: tuple[int, int],
) -> tuple[Boxes, NDArray[np.bool_]]:
    """The first try of each row that is no larger than `largest`, and whether there is one."""
    draws = draws.astype(np.float64)  # a float32 just below 1 times a side could round up to it
    size = (area[0] + (area[1] - area[0]) * draws[:, :MAX_TRIES]) * (height * width)
    low, high = np.log(ratio)
    aspect = np.exp(low + (high - low) * draws[:, MAX_TRIES : 2 * MAX_TRIES])
    tall, wide = (np.maximum(np.rint(np.sqrt(side)), 1) for side in (size / aspect, size * aspect))
    fits = (tall <= largest[0]) & (wide <= largest[1])
    first = np.arange(len(draws)), fits.argmax(axis=1)
    tall, wide = tall[first], wide[first]
    top = np.floor(draws[:, -2] * (height - tall + 1))
    left = np.floor(draws[:, -1] * (width - wide + 1))
    return np.stack([top, left, tall, wide], axis=1).astype(np.int64), fits.any(axis=1)


def _fallback_crop(height: int, width: int) -> list[int]:
    wide = min(width, round(height * CROP_RATIO[1]))
    tall = min(height, round(width / CROP_RATIO[0]))
    return [(height - tall) // 2, (width - wide) // 2, tall, wide]
