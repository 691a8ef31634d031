"""Augmentation of whole batches, for augment_backend=tensor.

Operations, order and distributions are those of timm's training transform: random resized crop,
flip, RandAugment, colour jitter, normalise, random erasing. Random numbers are drawn for a whole
epoch and read by position, so that a batch may be cut into slices. What follows the crop runs on
the device of the images, and the host does not wait for it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.dataset import Indices
from clip_hparam.data.transforms.colours import JITTER_ORDERS, jittered, normalize
from clip_hparam.data.transforms.erasing import erase
from clip_hparam.data.transforms.rand_augment.apply import apply_operations
from clip_hparam.data.transforms.rand_augment.draws import sample_operations
from clip_hparam.data.transforms.rand_augment.groups import PIXELS_AT_ONCE, groups
from clip_hparam.data.transforms.rand_augment.policy import fill_levels, parse_policy
from clip_hparam.data.transforms.random_boxes import (
    DRAWS_PER_BOX,
    random_crop_boxes,
    random_erase_boxes,
)
from clip_hparam.data.transforms.resample import centred_square, resample
from clip_hparam.rng import uniform

EVERY = slice(None)
HOST_TABLES = ("crop", "operations", "arguments")  # no work on the device reads them


@dataclass(frozen=True)
class AugmentParams:
    """Augmentation of each position of an epoch; a slice belongs to the same slice of images.

    crop: int64, shape (n, 4): top, left, height, width in px of the image; None for images in
        files, whose sizes differ.
    flipped: bool, shape (n,).
    order: int64, shape (n, 3): the order of BRIGHTNESS, CONTRAST and SATURATION.
    factors: float32, shape (n, 3), by position in the order; at least 0.
    erased: int64, shape (n, 4): a box in px of the result, height 0 where nothing is erased.
    noise: int64, shape (n, 2): top and left of the window of the noise field.
    operations, arguments: int64 and float64, shape (n, layers), see `draws.sample_operations`;
    always on the host.
    """

    crop: Tensor | None
    flipped: Tensor
    order: Tensor
    factors: Tensor
    erased: Tensor
    noise: Tensor
    operations: Tensor
    arguments: Tensor

    def __getitem__(self, rows: slice | Indices) -> "AugmentParams":
        return replace(self, **{name: table[rows] for name, table in self.tables.items()})

    @property
    def tables(self) -> dict[str, Tensor]:
        """The tables that are not None, by field."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: table for name, table in named.items() if table is not None}


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
        self,
        seed: int,
        epoch: int,
        images: int,
        size: tuple[int, int] | None,
        rows: slice | Indices = EVERY,
    ) -> AugmentParams:
        """Draw the augmentation of an epoch of `images` draws.

        size: height and width of all images in px; None if they differ.
        rows: positions whose augmentation is returned; a rank needs its own.
        """

        def numbers(
            purpose: str, columns: int
        ) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
            return uniform(seed, epoch, purpose, images, columns)[rows]

        jitter, erasing = numbers("jitter", 4), numbers("erasing", DRAWS_PER_BOX + 3)
        erased = random_erase_boxes(erasing[:, :DRAWS_PER_BOX], self.resolution)
        erased[erasing[:, DRAWS_PER_BOX] >= self.random_erasing] = 0
        crop = size and random_crop_boxes(numbers("crop", DRAWS_PER_BOX), *size, self.crop_scale)
        drawn = (
            numbers("flip", 1)[:, 0] < self.hflip,
            JITTER_ORDERS[(jitter[:, 3] * len(JITTER_ORDERS)).astype(np.int64)],
            np.maximum(1 + self.color_jitter * (2 * jitter[:, :3] - 1), 0),
            erased,
            (erasing[:, DRAWS_PER_BOX + 1 :] * self.resolution).astype(np.int64),
            *sample_operations(parse_policy(self.rand_augment), seed, epoch, images, rows),
        )
        boxes = None if crop is None else torch.from_numpy(crop)
        return AugmentParams(boxes, *map(torch.from_numpy, drawn))

    def crop(self, images: Tensor, params: AugmentParams) -> Tensor:
        """Return the crops of images of one size, mirrored where they are to be.

        images: uint8, shape (b, c, h, w). Returns levels, uint8, shape (b, c, r, r).
        """
        assert params.crop is not None, "the params are for images in files"
        flipped, side = params.flipped, self.resolution
        return resample(images, params.crop, flipped, side, self.interpolation).to(torch.uint8)

    def flip(self, crops: Tensor, params: AugmentParams) -> Tensor:
        """Return the images, shape (b, c, r, r), mirrored where drawn; on a CPU in place."""
        if crops.device.type == "cpu":
            rows = params.flipped.nonzero()[:, 0]
            return crops.index_copy_(0, rows, crops[rows].flip(3))
        count = len(crops)
        chosen = torch.arange(count, device=crops.device) + count * params.flipped
        return torch.cat([crops, crops.flip(3)]).index_select(0, chosen)

    def finish(self, crops: Tensor, params: AugmentParams) -> Tensor:
        """Return images after all that follows crop and flip: float32, shape (b, 3, r, r).

        crops: uint8, shape (b, c, r, r), on the device of the params.
        """
        return self._coloured(self._rand_augmented(crops, params), params)

    def finish_batches(self, batches: Iterable[Tensor], params: AugmentParams) -> Iterator[Tensor]:
        """Yield `finish` of batches whose params follow each other.

        RandAugment takes small images in groups of batches.
        """
        augments, first = self.rand_augment != "none", 0
        for group in groups(batches, PIXELS_AT_ONCE if augments else 0):
            rows = slice(first, first + sum(map(len, group)))
            first = rows.stop
            crops = self._rand_augmented(torch.cat(group), params[rows]) if augments else group[0]
            end = 0
            for size in map(len, group):
                start, end = end, end + size
                drawn = params[rows.start + start : rows.start + end]
                yield self._coloured(crops[start:end], drawn)

    def _coloured(self, crops: Tensor, params: AugmentParams) -> Tensor:
        levels = crops.float()
        if self.color_jitter:
            levels = jittered(levels, params.order, params.factors)
        pixels = normalize(levels, self.normalization)
        if self.random_erasing:
            erase(pixels, params.erased, params.noise)
        return pixels

    def _rand_augmented(self, crops: Tensor, params: AugmentParams) -> Tensor:
        if self.rand_augment == "none":
            return crops
        drawn = params.operations.numpy(), params.arguments.numpy()
        fill = fill_levels(self.normalization)
        return apply_operations(crops, *drawn, fill, self.interpolation)

    def centred(self, images: Tensor, resolution: int) -> Tensor:
        """Return the centre squares, resized: uint8, shape (b, c, r, r).

        images: uint8, shape (b, c, h, w); resolution: r in px.
        """
        box, kept = centred_square(*images.shape[2:]), torch.tensor([False])
        return resample(images, box, kept, resolution, self.interpolation).to(torch.uint8)

    def normalized(self, crops: Tensor) -> Tensor:
        """Return images of evaluation, uint8, shape (b, c, r, r), normalised: (b, 3, r, r)."""
        return normalize(crops.float(), self.normalization)
