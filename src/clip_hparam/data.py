"""Batches: what a step trains on and what an evaluation reads, from images held in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from clip_hparam import mix
from clip_hparam.augment import Augment, resized
from clip_hparam.draws import order
from clip_hparam.plan import steps_per_epoch
from clip_hparam.recipe import Recipe
from clip_hparam.sources import Labels, Pixels, Source
from clip_hparam.splits import Indices, draw

EVAL_BATCH = 256


@dataclass(frozen=True)
class Epoch:
    """The draws of one epoch: which image stands at each position, and its numbers."""

    index: int
    images: Tensor
    augment: Tensor


class Batches:
    """Training batches by (epoch, step) and the two evaluation sets of one trial."""

    def __init__(self, recipe: Recipe, source: Source) -> None:
        split = draw(source.labels, recipe.data.shots, recipe.data.selection, recipe.seed)
        self.recipe = recipe
        self.classes = len(source.classes)
        self.steps = steps_per_epoch(recipe)
        self.augment = Augment.of(recipe)
        self._images, self._labels = _tensors(source.pool, source.labels, split.train)
        self._selection = _tensors(source.pool, source.labels, split.selection)
        self._test = torch.from_numpy(source.test), torch.from_numpy(source.test_labels)

    def epoch(self, index: int) -> Epoch:
        draws = int(self.recipe.data.epoch_images)
        images = order(self.recipe.seed, index, len(self._images), draws)
        numbers = self.augment.draws(self.recipe.seed, index, draws)
        return Epoch(index, torch.from_numpy(images), numbers)

    def train(self, epoch: Epoch, step: int) -> tuple[Tensor, Tensor]:
        """Images (batch, 3, r, r) and soft targets (batch, classes) of one optimiser step."""
        recipe = self.recipe
        rows = slice(step * recipe.batch_size, (step + 1) * recipe.batch_size)
        chosen = epoch.images[rows]
        images = self.augment(self._images[chosen], epoch.augment[rows])
        targets = mix.soft_targets(self._labels[chosen], self.classes, recipe.label_smoothing)
        how = mix.mixing(
            recipe.seed, epoch.index, step, recipe.mixup, recipe.cutmix, self.augment.resolution
        )
        return (images, targets) if how is None else mix.mix(images, targets, how)

    def selection(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self._evaluation(*self._selection, self.augment.resolution)

    def test(self, resolution: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """At the recipe's own resolution unless another is asked for."""
        return self._evaluation(*self._test, resolution or self.augment.resolution)

    def _evaluation(
        self, images: Tensor, labels: Tensor, resolution: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, len(images), EVAL_BATCH):
            rows = slice(start, start + EVAL_BATCH)
            yield resized(images[rows], resolution, self.recipe.interpolation), labels[rows]


def _tensors(images: Pixels, labels: Labels, indices: Indices) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(images[indices]), torch.from_numpy(labels[indices])
