"""Resampling by matrices gives the levels of Pillow for any box."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from clip_hparam.data.transforms.resample import KERNELS, axis_weights, centred_square, resample

UNFLIPPED = torch.tensor([False])
WIDE = [(0, 0, 30, 30), (3, 7, 11, 20), (35, 0, 5, 30), (12, 29, 1, 1), (0, 2, 4, 28)]
TALL = [(0, 0, 40, 30), (3, 7, 20, 11), (1, 0, 35, 5)]


def harsh(count: int) -> Tensor:
    """Return images with hard edges and noise, for which a cubic kernel overshoots."""
    levels = np.random.default_rng(0).choice([0, 3, 128, 255], (count, 3, 40, 30))
    return torch.from_numpy(levels.astype(np.uint8))


def smooth(count: int) -> Tensor:
    """Return images of waves without black and white."""
    row, column = torch.meshgrid(torch.arange(40.0), torch.arange(30.0), indexing="ij")
    waves = [128 + 90 * torch.sin(row / (3 + n) + n) * torch.cos(column / 4) for n in range(count)]
    return torch.stack(waves)[:, None].repeat(1, 3, 1, 1).to(torch.uint8)


def pillow(image: Tensor, box: tuple[int, ...], side: int, interpolation: str) -> Tensor:
    top, left, tall, wide = box
    opened = Image.fromarray(image.permute(1, 2, 0).numpy())
    cropped = opened.crop((left, top, left + wide, top + tall))
    resized = cropped.resize((side, side), Image.Resampling[interpolation.upper()])
    return torch.from_numpy(np.array(resized, np.float32)).permute(2, 0, 1)


@pytest.mark.parametrize("interpolation", KERNELS)
@pytest.mark.parametrize("side", [8, 30, 31, 64])
@pytest.mark.parametrize(("pictures", "boxes"), [(harsh, WIDE), (smooth, WIDE + TALL)])
def test_crop_has_the_levels_of_pillow(
    pictures: Callable[[int], Tensor], boxes: list[tuple[int, ...]], side: int, interpolation: str
) -> None:
    """Pillow 13 starts some tall boxes with the vertical pass, visible only where it clips."""
    images = pictures(len(boxes))
    flipped = torch.zeros(len(boxes), dtype=torch.bool)
    ours = resample(images, torch.tensor(boxes), flipped, side, interpolation)
    theirs = torch.stack(
        [pillow(image, box, side, interpolation) for image, box in zip(images, boxes, strict=True)]
    )
    differences = (ours - theirs).abs()
    assert differences.max() <= 2  # a tie in each of the two roundings
    assert differences.mean() < 0.05


@pytest.mark.parametrize("interpolation", KERNELS)
@pytest.mark.parametrize(("start", "size"), [(0, 10), (3, 5), (9, 1)])
def test_weights_average_over_the_box_alone(start: int, size: int, interpolation: str) -> None:
    weights = axis_weights(start, size, 10, 7, interpolation)
    outside = torch.ones(10, dtype=torch.bool)
    outside[start : start + size] = False
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(7))
    assert not weights[:, outside].any()


@pytest.mark.parametrize("interpolation", KERNELS)
def test_image_at_its_own_size_is_unchanged(interpolation: str) -> None:
    square = harsh(4)[:, :, :30]
    kept = resample(square, centred_square(30, 30), UNFLIPPED, 30, interpolation)
    assert torch.equal(kept, square.float())


def test_flip_mirrors_the_same_box() -> None:
    images, boxes = harsh(len(WIDE)), torch.tensor(WIDE)
    straight, mirrored = (
        resample(images, boxes, torch.full((len(WIDE),), flipped), 16, "bicubic")
        for flipped in (False, True)
    )
    assert torch.equal(mirrored, straight.flip(3))


@pytest.mark.parametrize(("height", "width"), [(8, 8), (40, 30), (30, 41)])
def test_centred_square_is_the_largest(height: int, width: int) -> None:
    top, left, tall, wide = centred_square(height, width)[0].tolist()
    assert tall == wide == min(height, width)
    assert abs(height - tall - 2 * top) <= 1
    assert abs(width - wide - 2 * left) <= 1
