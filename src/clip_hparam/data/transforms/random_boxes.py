"""Random boxes in whole pixels, drawn as in timm: up to MAX_TRIES until a box fits.

Source: timm 1.0.31, `RandomResizedCropAndInterpolation.get_params` and `RandomErasing._erase`.
"""

import numpy as np
from numpy.typing import NDArray

MAX_TRIES = 10
DRAWS_PER_BOX = 2 * MAX_TRIES + 2  # areas, then aspect ratios of the tries, then top and left
CROP_RATIO = (3 / 4, 4 / 3)
ERASED_AREA = (0.02, 1 / 3)
ERASED_RATIO = (0.3, 1 / 0.3)
UniformArray = NDArray[np.float32]
"""Shape (n, DRAWS_PER_BOX), in [0, 1)."""
Boxes = NDArray[np.int64]
"""Shape (n, 4): top, left, height, width in px."""


def random_crop_boxes(draws: UniformArray, height: int, width: int, min_area: float) -> Boxes:
    """Return the boxes of random resized crops of images of height x width px.

    min_area: smallest share of the image area. Where no try fits, the box is the largest centred
    one whose aspect ratio is in CROP_RATIO.
    """
    boxes, fits = _sample_boxes(draws, height, width, (min_area, 1.0), CROP_RATIO, (height, width))
    boxes[~fits] = _fallback_crop(height, width)
    return boxes


def random_erase_boxes(draws: UniformArray, side: int) -> Boxes:
    """Return the boxes of random erasing in images of side x side px; all 0 where no try fits."""
    boxes, fits = _sample_boxes(draws, side, side, ERASED_AREA, ERASED_RATIO, (side - 1, side - 1))
    boxes[~fits] = 0
    return boxes


def _sample_boxes(
    draws: UniformArray,
    height: int,
    width: int,
    area: tuple[float, float],
    ratio: tuple[float, float],
    largest: tuple[int, int],
) -> tuple[Boxes, NDArray[np.bool_]]:
    """Return the first try of each row that fits into `largest`, and whether any try fits."""
    draws = draws.astype(np.float64)  # in float32 a draw just below 1, times a side, rounds to it
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
