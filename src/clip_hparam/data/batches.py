"""Batches: what a step trains on and what an evaluation reads, whatever the images come from."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from clip_hparam.config.recipe import Recipe
from clip_hparam.config.steps import steps_per_epoch
from clip_hparam.data.dataset import ImageDataset, Images, Indices, Labels
from clip_hparam.data.loader import TimmPipeline
from clip_hparam.data.splits import stratified_split
from clip_hparam.data.transforms import mixup
from clip_hparam.data.transforms.tensor import TensorPipeline
from clip_hparam.distributed import SINGLE_PROCESS, DistributedContext
from clip_hparam.rng import sampling_order

EVAL_BATCH_SIZE = 256


class ImagePipeline(Protocol):
    """An augmentation backend: images to normalised float32 batches (b, 3, r, r)."""

    def train_batches(
        self, images: Images, epoch: int, index: Indices, batches: Indices
    ) -> Iterator[Tensor]:
        """A batch for each row of `batches`, which holds positions; index[i] is the image at i.

        What is drawn for an image is a function of (seed, epoch, position).
        """

    def eval_batches(
        self, images: Images, index: Indices, size: int, resolution: int
    ) -> Iterator[Tensor]:
        """The images of `index` as an evaluation sees them, in batches of at most `size`."""


class Batches:
    """Training batches of an epoch and the two evaluation sets of one trial: a rank's part of them.

    `steps` an epoch are whole batches; `draws` an epoch may be a few more, which are not used.
    """

    def __init__(
        self,
        recipe: Recipe,
        source: ImageDataset,
        loader_workers: int = 0,
        ranks: DistributedContext = SINGLE_PROCESS,
    ) -> None:
        self.recipe, self.ranks = recipe, ranks
        self.classes = len(source.classes)
        self.steps = steps_per_epoch(recipe)
        self.draws = int(recipe.data.epoch_images)
        self._source = source
        self._split = stratified_split(
            source.labels, recipe.data.shots, recipe.data.selection, recipe.seed
        )
        self._pipeline = create_pipeline(recipe, loader_workers)

    def train(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Images and soft targets (rows, classes) of the steps of an epoch, from `first` on."""
        recipe = self.recipe
        drawn = sampling_order(recipe.seed, epoch, len(self._split.train), self.draws)
        index = self._split.train[drawn]
        labels = torch.from_numpy(self._source.labels[index])
        batches, own = self._positions(first)
        read = self._pipeline.train_batches(self._source.pool, epoch, index, batches)
        for step, (positions, images) in enumerate(zip(batches, read, strict=True), first):
            targets = mixup.soft_targets(labels[positions], self.classes, recipe.label_smoothing)
            how = mixup.sample_mix_params(
                recipe.seed, epoch, step, recipe.mixup, recipe.cutmix, images.shape[-1]
            )
            if how is not None:
                images, targets = mixup.apply_mix(images, targets, how)
            yield images[own], targets[own]

    def selection(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self._evaluation(self._source.pool, self._source.labels, self._split.selection)

    def test(self, resolution: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """At the recipe's own resolution unless another is asked for."""
        labels = self._source.test_labels
        every = torch.arange(len(labels)).numpy()
        return self._evaluation(self._source.test, labels, every, resolution)

    def shifted(self, half: str) -> Iterator[tuple[Tensor, Tensor]]:
        """The "selection" or the "test" half of data.shift, which there must be."""
        shifted = self._source.shifted
        assert shifted is not None
        index = shifted.selection if half == "selection" else shifted.test
        return self._evaluation(shifted.images, shifted.labels, index)

    @property
    def shifted_classes(self) -> Tensor | None:
        """Which classes data.shift shows, bool (classes,); None where there is none."""
        shifted = self._source.shifted
        if shifted is None:
            return None
        return torch.from_numpy(np.bincount(shifted.labels, minlength=self.classes) > 0)

    def _positions(self, first: int) -> tuple[Indices, slice]:
        """Positions to read for each step, shape (steps, rows), and which of the rows to train."""
        size = self.recipe.batch_size
        own = np.arange(size)[self.ranks.batch_rows(size)]
        mixed = self.recipe.mixup or self.recipe.cutmix
        rows = mixup.rows_needed(own, size) if mixed else own
        start = int(np.searchsorted(rows, own[0]))
        steps = np.arange(first, self.steps)
        return steps[:, None] * size + rows, slice(start, start + len(own))

    def _evaluation(
        self, images: Images, labels: Labels, index: Indices, resolution: int = 0
    ) -> Iterator[tuple[Tensor, Tensor]]:
        index = self.ranks.shard(index, EVAL_BATCH_SIZE)
        read = self._pipeline.eval_batches(
            images, index, EVAL_BATCH_SIZE, resolution or int(self.recipe.resolution)
        )
        starts = range(0, len(index), EVAL_BATCH_SIZE)
        cut = (torch.from_numpy(labels[index[at : at + EVAL_BATCH_SIZE]]) for at in starts)
        return zip(read, cut, strict=True)


def create_pipeline(recipe: Recipe, loader_workers: int) -> ImagePipeline:
    """The backend that a resolved recipe names."""
    if recipe.augment_backend == "timm":
        return TimmPipeline(recipe, loader_workers)
    return TensorPipeline(recipe)
