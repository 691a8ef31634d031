"""Images read and augmented one by one, in this process or in workers: augment_backend=timm.

timm draws from the global generators of Python, numpy and torch; they are seeded for each image, so
that an image is a function of (seed, epoch, position) whoever reads it.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from clip_hparam.config.recipe import Recipe
from clip_hparam.data.dataset import Images, Indices
from clip_hparam.data.transforms.timm_pipeline import Transform, eval_transform, train_transform
from clip_hparam.rng import stream
from clip_hparam.subprocesses import exit_with_parent

CHUNK_SIZE = 32  # images that travel from a worker at once; a batch is shared by several workers
Tasks = NDArray[np.int64]
"""Shape (n, 2): the index of an image and the seed of its draws."""


class TimmPipeline:
    """A `data.Reader` of any images, decoded and augmented in `workers` processes (0: in this)."""

    def __init__(self, recipe: Recipe, workers: int) -> None:
        self.seed = recipe.seed
        self.interpolation = recipe.interpolation
        self.pixels = recipe.encoder.pixels
        self.workers = workers
        self.transform = train_transform(recipe)

    def train_batches(
        self, images: Images, epoch: int, index: Indices, batches: Indices
    ) -> Iterator[Tensor]:
        seeds = stream(self.seed, epoch, "timm").integers(2**32, size=len(index))
        tasks = np.stack([index, seeds], axis=1)
        return self._batches(TransformedDataset(images, self.transform), list(tasks[batches]))

    def eval_batches(
        self, images: Images, index: Indices, size: int, resolution: int
    ) -> Iterator[Tensor]:
        transform = eval_transform(resolution, self.interpolation, self.pixels)
        tasks = np.stack([index, np.zeros_like(index)], axis=1)
        batches = [tasks[start : start + size] for start in range(0, len(tasks), size)]
        return self._batches(TransformedDataset(images, transform), batches)

    def _batches(self, opened: "TransformedDataset", batches: list[Tasks]) -> Iterator[Tensor]:
        loader = DataLoader(
            opened,
            batch_sampler=(chunk.tolist() for batch in batches for chunk in _chunks(batch)),
            collate_fn=_identity_collate,
            num_workers=self.workers,
            worker_init_fn=_init_worker,
            multiprocessing_context="fork" if self.workers else None,  # else each imports torch
            generator=torch.Generator(),  # else a seed for the workers is drawn from torch's own
        )
        arrived = iter(loader)
        try:
            for batch in batches:
                yield torch.cat([_raise_if_error(next(arrived)) for _ in _chunks(batch)])
        finally:
            del arrived  # ends the workers now; kept by a traceback they would outlive their queues


@dataclass(frozen=True)
class TransformedDataset(Dataset[Tensor]):
    """Images under one transform, fetched by (index, seed)."""

    images: Images
    transform: Transform

    def __getitems__(self, tasks: list[list[int]]) -> Tensor | ValueError:
        """The stacked images, or what is wrong with one of them.

        An exception that is raised in a worker would arrive as a page of traceback.
        """
        try:
            with preserve_rng_state():
                return torch.stack([self._one(index, seed) for index, seed in tasks])
        except UnreadableImageError as error:
            return error

    def _one(self, index: int, seed: int) -> Tensor:
        image = open_image(self.images, index)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - timm draws from it
        torch.default_generator.manual_seed(seed)
        return self.transform(image)


class UnreadableImageError(ValueError):
    """A file that is no image; its name is in the sentence."""


def open_image(images: Images, index: int) -> Image.Image:
    """An RGB image. Raises UnreadableImageError, never puts another image in its place."""
    if isinstance(images, np.ndarray):
        pixels = images[index].transpose(1, 2, 0)
        return Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    path = images.path(index)
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except Exception as error:  # Pillow's plugins raise whatever their parsing runs into
        problem = f"{path} cannot be read as an image ({error}): replace or remove it"
        raise UnreadableImageError(problem) from error


@contextmanager
def preserve_rng_state() -> Iterator[None]:
    """Leave the global generators of Python, numpy and torch as they were."""
    python, legacy, torchs = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
        torch.set_rng_state(torchs)


def _chunks(tasks: Tasks) -> list[Tasks]:
    return [tasks[start : start + CHUNK_SIZE] for start in range(0, len(tasks), CHUNK_SIZE)]


def _init_worker(worker: int) -> None:
    exit_with_parent()


def _identity_collate(chunk: Any) -> Any:
    return chunk


def _raise_if_error(chunk: Tensor | ValueError) -> Tensor:
    if isinstance(chunk, ValueError):
        raise chunk
    return chunk
