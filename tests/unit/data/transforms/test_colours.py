"""Colour jitter and normalisation of batches equal those of torchvision."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as torchvision

from clip_hparam.data.transforms.colours import JITTER_ORDERS, jittered, normalize
from clip_hparam.model.normalization import CLIP_MEAN, CLIP_STD


def images(count: int) -> Tensor:
    generator = np.random.default_rng(0)
    return torch.from_numpy(generator.integers(0, 256, (count, 3, 8, 8), np.uint8))


def test_normalize_uses_mean_and_std_of_clip() -> None:
    pixels = images(3)
    expected = torchvision.normalize(pixels.float() / 255, list(CLIP_MEAN), list(CLIP_STD))
    torch.testing.assert_close(normalize(pixels.float(), "clip"), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("order", JITTER_ORDERS.tolist())
def test_jitter_equals_torchvision_in_each_order(order: list[int]) -> None:
    adjust = (
        torchvision.adjust_brightness,
        torchvision.adjust_contrast,
        torchvision.adjust_saturation,
    )
    levels, factors = images(4).float(), torch.tensor([1.3, 0.6, 1.2])
    expected = levels / 255
    for kind, factor in zip(order, factors.tolist(), strict=True):
        expected = adjust[kind](expected, factor)
    ours = jittered(levels, torch.tensor([order] * 4), factors.expand(4, 3))
    torch.testing.assert_close(ours / 255, expected, rtol=0, atol=1e-3)
