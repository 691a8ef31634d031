"""Augmentation on tensors, a batch at a time: augment_backend=tensor, for images held in memory.

The operations and their order are those of timm's training transform without RandAugment (random
resized crop, flip, colour jitter, normalise, random erasing), drawn by the same laws. All that is
drawn is drawn for a whole epoch and read by position, so a batch may be cut into slices.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from itertools import permutations
from typing import cast

import numpy as np
import torch
from torch import Tensor

from clip_hparam.config.recipe import Recipe
from clip_hparam.data.dataset import ImageArray, Images, Indices
from clip_hparam.data.transforms.random_boxes import (
    DRAWS_PER_BOX,
    random_crop_boxes,
    random_erase_boxes,
)
from clip_hparam.data.transforms.resample import centred_square, resample
from clip_hparam.model.normalization import NORMALIZATIONS
from clip_hparam.rng import uniform

LUMA_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R 601, as Pillow turns colour into grey
JITTER_ORDERS = np.array(list(permutations(range(3))))
BRIGHTNESS, CONTRAST, SATURATION = range(3)


@dataclass(frozen=True)
class AugmentParams:
    """What was drawn for each position of an epoch: a slice of it goes with a slice of images."""

    crop: Tensor  # (n, 4) top, left, height, width in px of the image
    flipped: Tensor  # (n,) bool
    order: Tensor  # (n, 3) of brightness, contrast and saturation
    factors: Tensor  # (n, 3) by position in the order
    erased: Tensor  # (n, 4) in px of the result; height 0 where nothing is erased
    noise: Tensor  # (n, 2) where the noise is read from its field

    def __getitem__(self, rows: slice | Indices) -> "AugmentParams":
        return AugmentParams(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class TensorAugmentation:
    """uint8 images (b, c, h, w) -> float32 normalised (b, 3, resolution, resolution)."""

    resolution: int
    crop_scale: float
    hflip: float
    color_jitter: float
    random_erasing: float
    interpolation: str
    pixels: str

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> "TensorAugmentation":
        names = [field.name for field in fields(cls) if field.name != "pixels"]
        return cls(**{name: getattr(recipe, name) for name in names}, pixels=recipe.encoder.pixels)

    def sample_params(
        self, seed: int, epoch: int, images: int, height: int, width: int
    ) -> AugmentParams:
        """The epoch's draws for that many images of height x width px."""

        def numbers(
            purpose: str, columns: int
        ) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
            return uniform(seed, epoch, purpose, images, columns)

        jitter, erasing = numbers("jitter", 4), numbers("erasing", DRAWS_PER_BOX + 3)
        erased = random_erase_boxes(erasing[:, :DRAWS_PER_BOX], self.resolution)
        erased[erasing[:, DRAWS_PER_BOX] >= self.random_erasing] = 0
        drawn = (
            random_crop_boxes(numbers("crop", DRAWS_PER_BOX), height, width, self.crop_scale),
            numbers("flip", 1)[:, 0] < self.hflip,
            JITTER_ORDERS[(jitter[:, 3] * len(JITTER_ORDERS)).astype(np.int64)],
            np.maximum(1 + self.color_jitter * (2 * jitter[:, :3] - 1), 0),
            erased,
            (erasing[:, DRAWS_PER_BOX + 1 :] * self.resolution).astype(np.int64),
        )
        return AugmentParams(*map(torch.from_numpy, drawn))

    def __call__(self, images: Tensor, draws: AugmentParams) -> Tensor:
        levels = resample(images, draws.crop, draws.flipped, self.resolution, self.interpolation)
        if self.color_jitter:
            levels = jittered(levels, draws.order, draws.factors)
        pixels = normalize(levels, self.pixels)
        if self.random_erasing:
            erase(pixels, draws.erased, draws.noise)
        return pixels

    def resized(self, images: Tensor, resolution: int) -> Tensor:
        """The evaluation transform, crop share 1: uint8 (b, c, h, w) -> normalised float32."""
        box, kept = centred_square(*images.shape[2:]), torch.tensor([False])
        levels = resample(images, box, kept, resolution, self.interpolation)
        return normalize(levels, self.pixels)


class TensorPipeline:
    """A `data.Reader` of images held in memory; `plan.resolve` gives it no others."""

    def __init__(self, recipe: Recipe) -> None:
        self.augment = TensorAugmentation.from_recipe(recipe)
        self.seed = recipe.seed

    def train_batches(
        self, images: Images, epoch: int, index: Indices, batches: Indices
    ) -> Iterator[Tensor]:
        pool = cast(ImageArray, images)
        draws = self.augment.sample_params(self.seed, epoch, len(index), *pool.shape[2:])
        for positions in batches:
            yield self.augment(torch.from_numpy(pool[index[positions]]), draws[positions])

    def eval_batches(
        self, images: Images, index: Indices, size: int, resolution: int
    ) -> Iterator[Tensor]:
        pool = cast(ImageArray, images)
        for start in range(0, len(index), size):
            chosen = torch.from_numpy(pool[index[start : start + size]])
            yield self.augment.resized(chosen, resolution)


def normalize(levels: Tensor, pixels: str) -> Tensor:
    """Levels 0 to 255 in one or three channels to three normalised ones, as encoder.pixels says."""
    shift, scale = _normalization_affine(pixels)
    return torch.addcmul(shift, levels, scale)


def jittered(levels: Tensor, order: Tensor, factors: Tensor) -> Tensor:
    """torchvision's ColorJitter without hue: each step blends with black, mean grey or own grey."""
    for step in range(order.shape[1]):
        kind, factor = (table[:, step, None, None, None] for table in (order, factors))
        grey = _to_grey(levels)
        mean = grey.mean(dim=(2, 3), keepdim=True)
        other = grey.where(kind == SATURATION, mean.where(kind == CONTRAST, 0.0))
        levels = torch.lerp(other, levels, factor).clamp_(0, 255)
    return levels


def erase(pixels: Tensor, boxes: Tensor, offsets: Tensor) -> None:
    """Fill each image's box, in place, with normal noise: a window of one fixed field."""
    field = _noise_field(2 * pixels.shape[-1])
    chosen = boxes[:, 2].nonzero()[:, 0].tolist()
    for image, (top, left, tall, wide), (down, right) in zip(
        chosen, boxes[chosen].tolist(), offsets[chosen].tolist(), strict=True
    ):
        window = field[:, down : down + tall, right : right + wide]
        pixels[image, :, top : top + tall, left : left + wide] = window


def _to_grey(levels: Tensor) -> Tensor:
    if levels.shape[1] == 1:
        return levels
    return (levels * torch.tensor(LUMA_WEIGHTS)[:, None, None]).sum(dim=1, keepdim=True)


@cache
def _normalization_affine(pixels: str) -> tuple[Tensor, Tensor]:
    mean, std = (torch.tensor(values)[:, None, None] for values in NORMALIZATIONS[pixels])
    return -mean / std, 1 / (255 * std)


@cache
def _noise_field(side: int) -> Tensor:
    drawn = np.random.default_rng(side).standard_normal((3, side, side), dtype=np.float32)
    return torch.from_numpy(drawn)
