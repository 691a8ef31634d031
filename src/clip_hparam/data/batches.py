"""Batches of a trial: training batches of an epoch, and the evaluation sets.

They do not depend on whether images come from memory or from files.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.config.steps import steps_per_epoch
from clip_hparam.data.dataset import SELECTION, TRAIN, EvalSet, ImageDataset, Indices
from clip_hparam.data.device import to_device
from clip_hparam.data.loading.eval_batch import eval_batch_size
from clip_hparam.data.loading.loader import CPU, LoaderOptions
from clip_hparam.data.loading.pipelines import create_pipeline
from clip_hparam.data.loading.wait_clock import WaitClock, advice
from clip_hparam.data.loading.worker_count import resolve_workers
from clip_hparam.data.splits import stratified_split
from clip_hparam.data.transforms import mixup
from clip_hparam.distributed import SINGLE_PROCESS, DistributedContext
from clip_hparam.rng import sampling_order


class Batches:
    """Training batches and evaluation sets of one trial; each rank reads its share of them.

    classes: number of classes.
    steps: whole batches of an epoch.
    draws: images drawn for an epoch; those after the last whole batch are not used.
    eval_sets: those of the data set, and SELECTION, which depends on the seed unless the data set
        has its own.
    workers: processes that read images; they start with the first batch and end with `close`.
    wait: time spent waiting for images.
    """

    def __init__(
        self,
        recipe: ResolvedRecipe,
        dataset: ImageDataset,
        loader_workers: int | str = 0,
        context: DistributedContext = SINGLE_PROCESS,
        device: torch.device = CPU,
    ) -> None:
        self.recipe, self.context, self.device = recipe, context, device
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
        self._rows, self._own_rows = self._rows_to_read()
        in_memory = isinstance(dataset.train, np.ndarray)
        self.workers = resolve_workers(loader_workers, in_memory, context.world_size)
        self.wait = WaitClock(advice(self.workers, in_memory))
        self.eval_batch = eval_batch_size(device, recipe.resolution)
        sets = {TRAIN: dataset.train} | {
            name: eval_set.images for name, eval_set in self.eval_sets.items()
        }
        rows = max(len(self._rows), self.eval_batch)
        options = LoaderOptions(self.workers, rows, recipe.resolution, device)
        self._pipeline = create_pipeline(recipe, sets, options, self.wait)

    def train(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield this rank's rows of each step of an epoch, from step `first` on, on the device.

        Images are float32, shape (rows, 3, r, r), soft targets float32, shape (rows, classes).
        """
        recipe = self.recipe
        drawn = sampling_order(recipe.seed, epoch, len(self._train_index), self.draws)
        index = self._train_index[drawn]
        steps = np.arange(first, self.steps)
        batches = steps[:, None] * recipe.batch_size + self._rows
        read_labels = torch.from_numpy(self._dataset.train_labels[index[batches]])
        labels = to_device(read_labels, self.device)
        read = self._pipeline.train_batches(epoch, index, batches)
        for number, images in enumerate(read):
            step = first + number
            targets = mixup.soft_targets(labels[number], self.classes, recipe.label_smoothing)
            params = mixup.sample_mix_params(
                recipe.seed, epoch, step, recipe.mixup, recipe.cutmix, images.shape[-1]
            )
            if params is not None:
                images, targets = mixup.apply_mix(images, targets, params, recipe.mix_pairs)
            yield images[self._own_rows], targets[self._own_rows]

    def plain_train(self, index: Indices | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield training images once, in the order of the data set, without augmentation.

        Each rank reads all of them. Shapes and types are those of `evaluation`.
        index: positions among the training images of the data set; None: those of this trial.
        """
        index, size = self._train_index if index is None else index, self.eval_batch
        labels = to_device(torch.from_numpy(self._dataset.train_labels[index]), self.device)
        read = self._pipeline.eval_batches(TRAIN, index, size, self.recipe.resolution)
        by_batch = (labels[start : start + size] for start in range(0, len(index), size))
        return zip(read, by_batch, strict=True)

    def evaluation(self, name: str, resolution: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield this rank's share of an evaluation set, each image once, on the device.

        Images are float32, shape (b, 3, r, r), labels int64, shape (b,).
        name: a key of `eval_sets`.
        resolution: r in px; 0: that of the recipe.
        """
        size = self.eval_batch
        own = self.context.shard(np.arange(len(self.eval_sets[name].labels)), size)
        labels = to_device(torch.from_numpy(self.eval_sets[name].labels[own]), self.device)
        side = resolution or self.recipe.resolution
        read = self._pipeline.eval_batches(name, own, size, side)
        by_batch = (labels[start : start + size] for start in range(0, len(own), size))
        return zip(read, by_batch, strict=True)

    def close(self) -> None:
        """End the processes that read images."""
        self._pipeline.close()

    def _rows_to_read(self) -> tuple[Indices, slice]:
        """Return the rows of a batch that this rank reads, and which of them it trains on.

        Where mixing pairs mirrored rows a rank also reads the images that its own are mixed with.
        """
        size = self.recipe.batch_size
        own = np.arange(size)[self.context.batch_rows(size)]
        mixed = self.recipe.mixup or self.recipe.cutmix
        mirrored = mixed and self.recipe.mix_pairs == "mirrored"
        rows = mixup.rows_needed(own, size) if mirrored else own
        start = int(np.searchsorted(rows, own[0]))
        return rows, slice(start, start + len(own))
