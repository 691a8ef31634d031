"""Batches of a trial: training batches of an epoch, and the evaluation sets.

They do not depend on whether images come from memory or from files.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.config.steps import steps_per_epoch
from clip_hparam.data.dataset import SELECTION, EvalSet, ImageDataset, Images, Indices
from clip_hparam.data.loader import TimmPipeline
from clip_hparam.data.splits import stratified_split
from clip_hparam.data.transforms import mixup
from clip_hparam.data.transforms.tensor import TensorPipeline
from clip_hparam.distributed import SINGLE_PROCESS, DistributedContext
from clip_hparam.rng import sampling_order

EVAL_BATCH_SIZE = 256  # images


class ImagePipeline(Protocol):
    """Augmentation backend: yields normalised images, float32, shape (b, 3, r, r)."""

    def train_batches(
        self, images: Images, epoch: int, index: Indices, batches: Indices
    ) -> Iterator[Tensor]:
        """Yield one augmented batch for each row of `batches`.

        index: the image at each position of the epoch, shape (draws,).
        batches: positions, shape (steps, b).
        Random numbers of an image are a function of (seed, epoch, position).
        """

    def eval_batches(
        self, images: Images, index: Indices, size: int, resolution: int
    ) -> Iterator[Tensor]:
        """Yield the images of `index` without augmentation, in batches of at most `size`."""


class Batches:
    """Training batches and evaluation sets of one trial; each rank reads its share of them.

    classes: number of classes.
    steps: whole batches of an epoch.
    draws: images drawn for an epoch; those after the last whole batch are not used.
    eval_sets: those of the data set, and SELECTION, which depends on the seed unless the data set
        has its own.
    """

    def __init__(
        self,
        recipe: ResolvedRecipe,
        dataset: ImageDataset,
        loader_workers: int = 0,
        context: DistributedContext = SINGLE_PROCESS,
    ) -> None:
        self.recipe, self.context = recipe, context
        self.classes = len(dataset.classes)
        self.steps = steps_per_epoch(recipe)
        self.draws = recipe.data.epoch_images
        self._dataset = dataset
        labels = dataset.train_labels
        split = stratified_split(
            labels, recipe.data.shots, recipe.data.selection, recipe.seed, dataset.classes
        )
        self._train_index = split.train
        self.eval_sets: Mapping[str, EvalSet] = {
            SELECTION: EvalSet(dataset.train[split.selection], labels[split.selection]),
            **dataset.eval_sets,
        }
        self._pipeline = create_pipeline(recipe, loader_workers)

    def train(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield this rank's rows of each step of an epoch, from step `first` on.

        Images are float32, shape (rows, 3, r, r), soft targets float32, shape (rows, classes).
        """
        recipe = self.recipe
        drawn = sampling_order(recipe.seed, epoch, len(self._train_index), self.draws)
        index = self._train_index[drawn]
        labels = torch.from_numpy(self._dataset.train_labels[index])
        batches, own_rows = self._positions(first)
        read = self._pipeline.train_batches(self._dataset.train, epoch, index, batches)
        for step, (positions, images) in enumerate(zip(batches, read, strict=True), first):
            targets = mixup.soft_targets(labels[positions], self.classes, recipe.label_smoothing)
            params = mixup.sample_mix_params(
                recipe.seed, epoch, step, recipe.mixup, recipe.cutmix, images.shape[-1]
            )
            if params is not None:
                images, targets = mixup.apply_mix(images, targets, params)
            yield images[own_rows], targets[own_rows]

    def evaluation(self, name: str, resolution: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield this rank's share of an evaluation set, each image once.

        Images are float32, shape (b, 3, r, r), labels int64, shape (b,).
        name: a key of `eval_sets`.
        resolution: r in px; 0: that of the recipe.
        """
        eval_set = self.eval_sets[name]
        index = self.context.shard(np.arange(len(eval_set.labels)), EVAL_BATCH_SIZE)
        read = self._pipeline.eval_batches(
            eval_set.images, index, EVAL_BATCH_SIZE, resolution or self.recipe.resolution
        )
        starts = range(0, len(index), EVAL_BATCH_SIZE)
        labels = (
            torch.from_numpy(eval_set.labels[index[start : start + EVAL_BATCH_SIZE]])
            for start in starts
        )
        return zip(read, labels, strict=True)

    def _positions(self, first: int) -> tuple[Indices, slice]:
        """Return the positions to read, shape (steps, rows), and which of the rows are trained on.

        With mixup or cutmix a rank also reads the images that its own rows are mixed with.
        """
        size = self.recipe.batch_size
        own = np.arange(size)[self.context.batch_rows(size)]
        mixed = self.recipe.mixup or self.recipe.cutmix
        rows = mixup.rows_needed(own, size) if mixed else own
        start = int(np.searchsorted(rows, own[0]))
        steps = np.arange(first, self.steps)
        return steps[:, None] * size + rows, slice(start, start + len(own))


def create_pipeline(recipe: ResolvedRecipe, loader_workers: int) -> ImagePipeline:
    """Create the augmentation backend that the recipe names."""
    if recipe.augment_backend == "timm":
        return TimmPipeline(recipe, loader_workers)
    return TensorPipeline(recipe)
