"""Augmentation of a whole batch on tensors: each image by its own row of uniform numbers.

The operations are those of timm's training transform without RandAugment (random resized crop,
flip, jitter, normalise, random erasing); parameters are drawn the same way, pixels by one
`grid_sample` instead of a resize image by image.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from clip_hparam.draws import uniform
from clip_hparam.recipe import Recipe

# OpenAI's CLIP; without the --clip_mean_and_std flag the official code falls back to 0.5
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
RATIO = (3 / 4, 4 / 3)
ERASED_AREA = (0.02, 1 / 3)
ERASED_RATIO = (0.3, 1 / 0.3)
COLUMNS = 16


@dataclass(frozen=True)
class Augment:
    """uint8 images (b, c, h, w) -> float32 normalised (b, 3, resolution, resolution)."""

    resolution: int
    crop_scale: float
    hflip: float
    color_jitter: float
    random_erasing: float
    interpolation: str

    @classmethod
    def of(cls, recipe: Recipe) -> "Augment":
        return cls(
            int(recipe.resolution),
            recipe.crop_scale,
            recipe.hflip,
            recipe.color_jitter,
            recipe.random_erasing,
            recipe.interpolation,
        )

    def draws(self, seed: int, epoch: int, images: int) -> Tensor:
        """The epoch's uniform numbers, shape (images, COLUMNS); row i is for position i."""
        return torch.from_numpy(uniform(seed, epoch, "augment", images, COLUMNS))

    def __call__(self, images: Tensor, draws: Tensor) -> Tensor:
        pixels = images.float() / 255
        pixels = self._cropped(pixels, draws[:, :5])
        if self.color_jitter:
            pixels = self._jittered(pixels, draws[:, 5:8])
        pixels = normalise(pixels)
        return self._erased(pixels, draws[:, 8:14]) if self.random_erasing else pixels

    def _cropped(self, pixels: Tensor, draws: Tensor) -> Tensor:
        height, width = pixels.shape[2:]
        left, top, w, h = boxes(draws[:, :4], (self.crop_scale, 1.0), RATIO)
        centres = (torch.arange(self.resolution) + 0.5) / self.resolution
        flipped = draws[:, 4:5] < self.hflip
        x = 2 * (left[:, None] + torch.where(flipped, 1 - centres, centres) * w[:, None]) - 1
        y = 2 * (top[:, None] + centres * h[:, None]) - 1
        grid = torch.stack(
            [
                x[:, None, :].expand(-1, self.resolution, -1),
                y[:, :, None].expand(-1, -1, self.resolution),
            ],
            dim=3,
        )
        sampled = F.grid_sample(
            pixels, grid, mode=self.interpolation, padding_mode="border", align_corners=False
        )
        return sampled.clamp(0, 1)

    def _jittered(self, pixels: Tensor, draws: Tensor) -> Tensor:
        factors = (1 + self.color_jitter * (2 * draws - 1)).clamp(min=0)[:, :, None, None]
        brighter = (pixels * factors[:, 0:1]).clamp(0, 1)
        grey = brighter.mean(dim=(1, 2, 3), keepdim=True)
        contrasted = (grey + (brighter - grey) * factors[:, 1:2]).clamp(0, 1)
        luma = contrasted.mean(dim=1, keepdim=True)
        return (luma + (contrasted - luma) * factors[:, 2:3]).clamp(0, 1)

    def _erased(self, pixels: Tensor, draws: Tensor) -> Tensor:
        left, top, w, h = boxes(draws[:, :4], ERASED_AREA, ERASED_RATIO)
        centres = (torch.arange(self.resolution) + 0.5) / self.resolution
        inside_x = (centres >= left[:, None]) & (centres < (left + w)[:, None])
        inside_y = (centres >= top[:, None]) & (centres < (top + h)[:, None])
        chosen = draws[:, 4] < self.random_erasing
        mask = inside_y[:, None, :, None] & inside_x[:, None, None, :]
        mask = mask & chosen[:, None, None, None]
        return torch.where(mask, _noise(self.resolution, draws[:, 5]), pixels)


def boxes(draws: Tensor, area: tuple[float, float], ratio: tuple[float, float]) -> list[Tensor]:
    """Left, top, width, height of a rectangle an image, as shares of the side; draws (b, 4)."""
    low, high = math.log(ratio[0]), math.log(ratio[1])
    size = area[0] + (area[1] - area[0]) * draws[:, 0]
    aspect = torch.exp(low + (high - low) * draws[:, 1])
    w = (size * aspect).sqrt().clamp(max=1)
    h = (size / aspect).sqrt().clamp(max=1)
    return [draws[:, 2] * (1 - w), draws[:, 3] * (1 - h), w, h]


def normalise(pixels: Tensor) -> Tensor:
    """Pixels in [0, 1], one or three channels, to three normalised ones."""
    mean, std = (torch.tensor(values)[None, :, None, None] for values in (MEAN, STD))
    return (pixels.expand(-1, 3, -1, -1) - mean) / std


def resized(images: Tensor, resolution: int, interpolation: str) -> Tensor:
    """The evaluation transform (crop share 1): uint8 (b, c, h, w) -> normalised float32."""
    pixels = F.interpolate(
        images.float() / 255,
        (resolution, resolution),
        mode=interpolation,
        align_corners=False,
        antialias=images.shape[-1] > resolution,
    )
    return normalise(pixels.clamp(0, 1))


def _noise(resolution: int, draws: Tensor) -> Tensor:
    """Normal noise (b, 3, resolution, resolution): a window of one fixed field, placed by draws."""
    field = _field(2 * resolution)
    offsets = (draws * resolution).long()
    index = torch.arange(resolution)
    rows = offsets[:, None] + index
    return field[:, rows[:, :, None], rows[:, None, :]].transpose(0, 1)


def _field(side: int) -> Tensor:
    generator: NDArray[np.float32] = np.random.default_rng(side).standard_normal(
        (3, side, side), dtype=np.float32
    )
    return torch.from_numpy(generator)
