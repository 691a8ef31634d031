"""Image pipeline for augment_backend=tensor: augments whole batches of images held in memory.

Operations, order and distributions are those of timm's training transform: random resized crop,
flip, RandAugment, colour jitter, normalise, random erasing. Random numbers are drawn for a whole
epoch and read by position, so that a batch may be cut into slices.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from itertools import permutations
from typing import cast

import numpy as np
import torch
from torch import Tensor

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.dataset import ImageArray, Images, Indices
from clip_hparam.data.transforms.rand_augment.apply import apply_operations
from clip_hparam.data.transforms.rand_augment.draws import sample_operations
from clip_hparam.data.transforms.rand_augment.policy import fill_levels, parse_policy
from clip_hparam.data.transforms.random_boxes import (
    DRAWS_PER_BOX,
    random_crop_boxes,
    random_erase_boxes,
)
from clip_hparam.data.transforms.resample import centred_square, resample
from clip_hparam.model.normalization import NORMALIZATIONS
from clip_hparam.rng import uniform

LUMA_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R 601, as Pillow converts to grey
JITTER_ORDERS = np.array(list(permutations(range(3))))
BRIGHTNESS, CONTRAST, SATURATION = range(3)


@dataclass(frozen=True)
class AugmentParams:
    """Augmentation of each position of an epoch; a slice belongs to the same slice of images.

    crop: int64, shape (n, 4): top, left, height, width in px of the image.
    flipped: bool, shape (n,).
    order: int64, shape (n, 3): the order of BRIGHTNESS, CONTRAST and SATURATION.
    factors: float32, shape (n, 3), by position in the order; at least 0.
    erased: int64, shape (n, 4): a box in px of the result, height 0 where nothing is erased.
    noise: int64, shape (n, 2): top and left of the window of the noise field.
    operations, arguments: int64 and float64, shape (n, layers), see `draws.sample_operations`;
    always on the host.
    """

    crop: Tensor
    flipped: Tensor
    order: Tensor
    factors: Tensor
    erased: Tensor
    noise: Tensor
    operations: Tensor
    arguments: Tensor

    def __getitem__(self, rows: slice | Indices) -> "AugmentParams":
        return AugmentParams(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class TensorAugmentation:
    """Augment images, uint8, shape (b, c, h, w), to normalised float32, shape (b, 3, r, r).

    resolution: r in px. normalization: a key of NORMALIZATIONS. The other fields are knobs.
    """

    resolution: int
    crop_scale: float
    hflip: float
    color_jitter: float
    random_erasing: float
    interpolation: str
    normalization: str
    rand_augment: str = "none"

    @classmethod
    def from_recipe(cls, recipe: ResolvedRecipe) -> "TensorAugmentation":
        """Take the knobs of a recipe."""
        names = [field.name for field in fields(cls) if field.name != "normalization"]
        knobs = {name: getattr(recipe, name) for name in names}
        return cls(**knobs, normalization=recipe.encoder.pixels)

    def sample_params(
        self, seed: int, epoch: int, images: int, height: int, width: int
    ) -> AugmentParams:
        """Draw the augmentation of an epoch of `images` draws from images of height x width px."""

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
            *sample_operations(parse_policy(self.rand_augment), seed, epoch, images),
        )
        return AugmentParams(*map(torch.from_numpy, drawn))

    def __call__(self, images: Tensor, params: AugmentParams) -> Tensor:
        levels = resample(images, params.crop, params.flipped, self.resolution, self.interpolation)
        if self.rand_augment != "none":
            levels = self._rand_augmented(levels, params)
        if self.color_jitter:
            levels = jittered(levels, params.order, params.factors)
        pixels = normalize(levels, self.normalization)
        if self.random_erasing:
            erase(pixels, params.erased, params.noise)
        return pixels

    def _rand_augmented(self, levels: Tensor, params: AugmentParams) -> Tensor:
        drawn = params.operations.numpy(), params.arguments.numpy()
        fill = fill_levels(self.normalization)
        return apply_operations(levels.to(torch.uint8), *drawn, fill, self.interpolation).float()

    def resized(self, images: Tensor, resolution: int) -> Tensor:
        """Return the centre squares, resized and normalised: float32, shape (b, 3, r, r).

        images: uint8, shape (b, c, h, w); resolution: r in px.
        """
        box, kept = centred_square(*images.shape[2:]), torch.tensor([False])
        levels = resample(images, box, kept, resolution, self.interpolation)
        return normalize(levels, self.normalization)


class TensorPipeline:
    """ImagePipeline for images held in memory; `planning.resolve` allows it for no others."""

    def __init__(self, recipe: ResolvedRecipe) -> None:
        self.augment = TensorAugmentation.from_recipe(recipe)
        self.seed = recipe.seed

    def train_batches(
        self, images: Images, epoch: int, index: Indices, batches: Indices
    ) -> Iterator[Tensor]:
        """Yield the augmented batches of an epoch, see `batches.ImagePipeline`."""
        array = cast(ImageArray, images)
        params = self.augment.sample_params(self.seed, epoch, len(index), *array.shape[2:])
        for positions in batches:
            yield self.augment(torch.from_numpy(array[index[positions]]), params[positions])

    def eval_batches(
        self, images: Images, index: Indices, size: int, resolution: int
    ) -> Iterator[Tensor]:
        """Yield the images of `index` without augmentation, see `batches.ImagePipeline`."""
        array = cast(ImageArray, images)
        for start in range(0, len(index), size):
            batch = torch.from_numpy(array[index[start : start + size]])
            yield self.augment.resized(batch, resolution)


def normalize(levels: Tensor, normalization: str) -> Tensor:
    """Return normalised images, float32, shape (b, 3, r, r), of levels 0 to 255, (b, 1 or 3, r, r).

    normalization: a key of NORMALIZATIONS.
    """
    shift, scale = _normalization_affine(normalization)
    return torch.addcmul(shift, levels, scale)


def jittered(levels: Tensor, order: Tensor, factors: Tensor) -> Tensor:
    """Return levels after torchvision's ColorJitter without hue, clipped to 0 to 255.

    Brightness blends an image with black, contrast with its mean grey, saturation with its grey
    version. order, factors: shape (b, 3), as in AugmentParams.
    """
    for step in range(order.shape[1]):
        kind, factor = (table[:, step, None, None, None] for table in (order, factors))
        grey = _to_grey(levels)
        mean = grey.mean(dim=(2, 3), keepdim=True)
        other = grey.where(kind == SATURATION, mean.where(kind == CONTRAST, 0.0))
        levels = torch.lerp(other, levels, factor).clamp_(0, 255)
    return levels


def erase(pixels: Tensor, boxes: Tensor, offsets: Tensor) -> None:
    """Fill the box of each image in place with normal noise: a window of one fixed noise field.

    pixels: float32, shape (b, 3, r, r); boxes: (b, 4), no effect where the height is 0;
    offsets: (b, 2), top and left of the window.
    """
    field = _noise_field(2 * pixels.shape[-1])
    affected = boxes[:, 2].nonzero()[:, 0].tolist()
    for image, (top, left, tall, wide), (down, right) in zip(
        affected, boxes[affected].tolist(), offsets[affected].tolist(), strict=True
    ):
        window = field[:, down : down + tall, right : right + wide]
        pixels[image, :, top : top + tall, left : left + wide] = window


def _to_grey(levels: Tensor) -> Tensor:
    if levels.shape[1] == 1:
        return levels
    return (levels * torch.tensor(LUMA_WEIGHTS)[:, None, None]).sum(dim=1, keepdim=True)


@cache
def _normalization_affine(normalization: str) -> tuple[Tensor, Tensor]:
    mean, std = (torch.tensor(values)[:, None, None] for values in NORMALIZATIONS[normalization])
    return -mean / std, 1 / (255 * std)


@cache
def _noise_field(side: int) -> Tensor:
    drawn = np.random.default_rng(side).standard_normal((3, side, side), dtype=np.float32)
    return torch.from_numpy(drawn)
