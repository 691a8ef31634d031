"""Random boxes are inside their image and have the distribution of timm's boxes."""

import random

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import ks_2samp
from timm.data.random_erasing import RandomErasing
from timm.data.transforms import RandomResizedCropAndInterpolation

from clip_hparam.data.transforms.random_boxes import (
    CROP_RATIO,
    DRAWS_PER_BOX,
    random_crop_boxes,
    random_erase_boxes,
)
from clip_hparam.rng import uniform

MANY = 4000
ALIKE = 1e-3  # the draws are fixed, so the outcome is deterministic


def numbers(count: int = MANY) -> np.ndarray:
    return uniform(0, 0, "test", count, DRAWS_PER_BOX)


def assert_alike(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Compare the distribution of each column, of the area and of the aspect ratio."""
    for some, others in zip(columns(ours), columns(theirs), strict=True):
        assert ks_2samp(some, others, method="asymp").pvalue > ALIKE


def columns(boxes: np.ndarray) -> list[np.ndarray]:
    tall, wide = boxes[:, 2] + 1e-9, boxes[:, 3] + 1e-9
    return [*boxes.T, tall * wide, tall / wide]


@pytest.mark.parametrize(("height", "width"), [(8, 8), (40, 30), (375, 500)])
@pytest.mark.parametrize("least", [0.08, 0.5, 0.9])
def test_crop_boxes_have_the_distribution_of_timm(height: int, width: int, least: float) -> None:
    random.seed(0)
    image = Image.new("L", (width, height))
    draw = RandomResizedCropAndInterpolation.get_params
    theirs = np.array([draw(image, (least, 1.0), CROP_RATIO) for _ in range(MANY)])
    assert_alike(random_crop_boxes(numbers(), height, width, least), theirs)


@pytest.mark.parametrize("side", [8, 32])
def test_erased_boxes_have_the_distribution_of_timm(side: int) -> None:
    random.seed(0)
    torch.manual_seed(0)
    erase = RandomErasing(probability=1.0, mode="pixel", max_count=1, device="cpu")
    theirs = []
    for _ in range(MANY):
        changed = erase(torch.zeros(1, side, side))[0] != 0
        rows, across = changed.any(1).nonzero()[:, 0], changed.any(0).nonzero()[:, 0]
        first = [int(rows[0]), int(across[0])] if len(rows) else [0, 0]
        theirs.append([*first, len(rows), len(across)])
    assert_alike(random_erase_boxes(numbers(), side), np.array(theirs))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (8, 8), (7, 31), (300, 20)])
def test_crop_box_is_inside_its_image(height: int, width: int) -> None:
    top, left, tall, wide = random_crop_boxes(numbers(), height, width, 0.08).T
    assert min(top.min(), left.min()) >= 0
    assert min(tall.min(), wide.min()) >= 1
    assert (top + tall).max() <= height
    assert (left + wide).max() <= width


def test_erased_box_is_smaller_than_the_image() -> None:
    boxes = random_erase_boxes(numbers(), 8)
    assert boxes[:, 2:].max() < 8
    assert (boxes[:, :2] + boxes[:, 2:]).max() <= 8


@pytest.mark.parametrize(("height", "width"), [(10, 100), (100, 10), (50, 50)])
def test_crop_falls_back_to_the_central_crop_of_timm(height: int, width: int) -> None:
    image = Image.new("L", (width, height))
    impossible = (100.0, 100.0)  # an area larger than any image
    theirs = RandomResizedCropAndInterpolation.get_params(image, impossible, CROP_RATIO)
    too_large = np.full((1, DRAWS_PER_BOX), 0.5, np.float32)
    assert random_crop_boxes(too_large, height, width, 100.0)[0].tolist() == list(theirs)


def test_nothing_is_erased_where_no_try_fits() -> None:
    too_wide = np.full((1, DRAWS_PER_BOX), 0.999, np.float32)  # a third of the area, ratio 10 / 3
    assert random_erase_boxes(too_wide, 32).tolist() == [[0, 0, 0, 0]]
