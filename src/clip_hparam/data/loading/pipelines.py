"""The augmentation backends: normalised batches of the images of a trial, on its device."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.dataset import TRAIN, ImageArray, Images, Indices
from clip_hparam.data.loading.crop_reader import CropReader
from clip_hparam.data.loading.device_copy import DeviceCopy, Transfer, tables_to_device
from clip_hparam.data.loading.loader import ImageLoader, LoaderOptions
from clip_hparam.data.loading.read_request import ReadRequest
from clip_hparam.data.loading.timm_reader import TimmReader
from clip_hparam.data.loading.wait_clock import WaitClock
from clip_hparam.data.transforms.batch_augmentation import (
    HOST_TABLES,
    AugmentParams,
    TensorAugmentation,
)
from clip_hparam.data.transforms.random_boxes import DRAWS_PER_BOX
from clip_hparam.rng import stream, uniform

MAX_KEPT_BYTES = 2**26  # 64 MiB of evaluation images


class ImagePipeline(Protocol):
    """Augmentation backend: yields normalised images on the device, float32, shape (b, 3, r, r)."""

    def train_batches(self, epoch: int, index: Indices, batches: Indices) -> Iterator[Tensor]:
        """Yield one augmented batch of the training set for each row of `batches`.

        index: the image at each position of the epoch, shape (draws,).
        batches: positions, shape (steps, b).
        Random numbers of an image are a function of (seed, epoch, position).
        """

    def eval_batches(
        self, name: str, index: Indices, size: int, resolution: int
    ) -> Iterator[Tensor]:
        """Yield the images of a set without augmentation, in batches of at most `size`."""

    def close(self) -> None:
        """End the worker processes."""


def create_pipeline(
    recipe: ResolvedRecipe, sets: Mapping[str, Images], options: LoaderOptions, clock: WaitClock
) -> ImagePipeline:
    """Create the augmentation backend that the recipe names.

    sets: images by name, TRAIN among them.
    """
    backend = TimmPipeline if recipe.augment_backend == "timm" else TensorPipeline
    return backend(recipe, sets, options, clock)


class TimmPipeline:
    """timm's transforms, image by image."""

    def __init__(
        self,
        recipe: ResolvedRecipe,
        sets: Mapping[str, Images],
        options: LoaderOptions,
        clock: WaitClock,
    ) -> None:
        self.seed, self.resolution = recipe.seed, recipe.resolution
        self._loader = ImageLoader(sets, TimmReader(recipe), options, clock)

    def train_batches(self, epoch: int, index: Indices, batches: Indices) -> Iterator[Tensor]:
        """Yield the augmented batches of an epoch, see `ImagePipeline`."""
        seeds = stream(self.seed, epoch, "timm").integers(2**32, size=len(index))
        return self._loader.batches(
            [
                ReadRequest(TRAIN, index[positions], seeds[positions], self.resolution)
                for positions in batches
            ]
        )

    def eval_batches(
        self, name: str, index: Indices, size: int, resolution: int
    ) -> Iterator[Tensor]:
        """Yield the images of a set without augmentation, see `ImagePipeline`."""
        return self._loader.batches(_plain_requests(name, index, size, resolution))

    def close(self) -> None:
        """End the worker processes."""
        self._loader.close()


class TensorPipeline:
    """Batches are augmented on the device, after workers or this process have cropped each image.

    Images in files are cropped and resized by CropReader, those in memory by `resample`.
    The centre squares of evaluation sets in memory are kept for the next epoch: MAX_KEPT_BYTES.
    """

    def __init__(
        self,
        recipe: ResolvedRecipe,
        sets: Mapping[str, Images],
        options: LoaderOptions,
        clock: WaitClock,
    ) -> None:
        self.augment = TensorAugmentation.from_recipe(recipe)
        self.seed, self.sets, self.clock = recipe.seed, sets, clock
        self._device = options.device
        self._copy = DeviceCopy(options.device)
        self._loader = ImageLoader(sets, CropReader(recipe), options, clock)
        self._kept: dict[tuple[str, int, bytes], Tensor] = {}
        self._kept_bytes = 0

    def train_batches(self, epoch: int, index: Indices, batches: Indices) -> Iterator[Tensor]:
        """Yield the augmented batches of an epoch, see `ImagePipeline`."""
        images, order = self.sets[TRAIN], batches.ravel()
        rows = [slice(*ends) for ends in pairwise(range(0, len(order) + 1, batches.shape[1]))]
        if isinstance(images, np.ndarray):
            height, width = images.shape[2:]
            params = self._params(epoch, index, (height, width), order)
            crops = self._copy.batches(self._crops(images, index[order], params, rows))
            table = params_on_device(params, self._device)
            yield from self.augment.finish_batches(crops, table)
            return
        table = params_on_device(self._params(epoch, index, None, order), self._device)
        draws = uniform(self.seed, epoch, "crop", len(index), DRAWS_PER_BOX)[order]
        requests = [
            ReadRequest(TRAIN, index[order[part]], draws[part], self.augment.resolution)
            for part in rows
        ]
        for part, batch in zip(rows, self._loader.batches(requests), strict=True):
            yield self.augment.finish(self.augment.flip(batch, table[part]), table[part])

    def eval_batches(
        self, name: str, index: Indices, size: int, resolution: int
    ) -> Iterator[Tensor]:
        """Yield the images of a set without augmentation, see `ImagePipeline`."""
        images = self.sets[name]
        if isinstance(images, np.ndarray):
            centres = self._copy.batches(self._centres(name, images, index, size, resolution))
        else:
            centres = self._loader.batches(_plain_requests(name, index, size, resolution))
        yield from map(self.augment.normalized, centres)

    def close(self) -> None:
        """End the worker processes."""
        self._loader.close()

    def _params(
        self, epoch: int, index: Indices, size: tuple[int, int] | None, order: Indices
    ) -> AugmentParams:
        return self.augment.sample_params(self.seed, epoch, len(index), size, order)

    def _crops(
        self, images: ImageArray, index: Indices, params: AugmentParams, rows: list[slice]
    ) -> Iterator[Transfer]:
        for part in rows:
            with self.clock.running():
                levels = self.augment.crop(torch.from_numpy(images[index[part]]), params[part])
            yield self._copy.start(levels, reused=False)

    def _centres(
        self, name: str, images: ImageArray, index: Indices, size: int, resolution: int
    ) -> Iterator[Transfer]:
        for start in range(0, len(index), size):
            part = index[start : start + size]
            key = (name, resolution, part.tobytes())
            centres = self._kept.get(key)
            if centres is None:
                centres = self.augment.centred(torch.from_numpy(images[part]), resolution)
                if name != TRAIN and self._kept_bytes + centres.nbytes <= MAX_KEPT_BYTES:
                    self._kept[key] = centres
                    self._kept_bytes += centres.nbytes
            yield self._copy.start(centres, reused=False)


def params_on_device(params: AugmentParams, device: torch.device) -> AugmentParams:
    """Return the params with all but HOST_TABLES moved, by one copy; the host does not wait."""
    moving = {name: table for name, table in params.tables.items() if name not in HOST_TABLES}
    moved = tables_to_device(list(moving.values()), device)
    return replace(params, **dict(zip(moving, moved, strict=True)))


def _plain_requests(name: str, index: Indices, size: int, resolution: int) -> list[ReadRequest]:
    return [
        ReadRequest(name, index[start : start + size], None, resolution)
        for start in range(0, len(index), size)
    ]
