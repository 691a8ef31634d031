"""Image pipeline for augment_backend=timm: decodes and augments image by image.

timm draws from the global generators of Python, numpy and torch. They are seeded for each image, so
that an augmented image is a function of (seed, epoch, position) in whichever process it is read.
"""

import random
import signal
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

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.dataset import Images, Indices
from clip_hparam.data.reading.errors import UnreadableImageError
from clip_hparam.data.reading.image import read_image
from clip_hparam.data.transforms.timm_pipeline import Transform, eval_transform, train_transform
from clip_hparam.rng import stream
from clip_hparam.subprocesses import exit_with_parent

CHUNK_SIZE = 32  # images that a worker returns at once; several workers share a batch
Tasks = NDArray[np.int64]
"""Shape (n, 2): index of an image and seed of its random numbers."""


class TimmPipeline:
    """ImagePipeline for any images; `workers` processes decode and augment (0: this process)."""

    def __init__(self, recipe: ResolvedRecipe, workers: int) -> None:
        self.seed = recipe.seed
        self.interpolation = recipe.interpolation
        self.normalization = recipe.encoder.pixels
        self.workers = workers
        self.transform = train_transform(recipe)

    def train_batches(
        self, images: Images, epoch: int, index: Indices, batches: Indices
    ) -> Iterator[Tensor]:
        """Yield the augmented batches of an epoch, see `batches.ImagePipeline`."""
        seeds = stream(self.seed, epoch, "timm").integers(2**32, size=len(index))
        tasks = np.stack([index, seeds], axis=1)
        return self._batches(TransformedDataset(images, self.transform), list(tasks[batches]))

    def eval_batches(
        self, images: Images, index: Indices, size: int, resolution: int
    ) -> Iterator[Tensor]:
        """Yield the images of `index` without augmentation, see `batches.ImagePipeline`."""
        transform = eval_transform(resolution, self.interpolation, self.normalization)
        tasks = np.stack([index, np.zeros_like(index)], axis=1)
        batches = [tasks[start : start + size] for start in range(0, len(tasks), size)]
        return self._batches(TransformedDataset(images, transform), batches)

    def _batches(self, dataset: "TransformedDataset", batches: list[Tasks]) -> Iterator[Tensor]:
        loader = DataLoader(
            dataset,
            batch_sampler=(chunk.tolist() for batch in batches for chunk in _chunks(batch)),
            collate_fn=_identity_collate,
            num_workers=self.workers,
            worker_init_fn=_init_worker,
            multiprocessing_context="fork" if self.workers else None,  # spawn: each imports torch
            generator=torch.Generator(),  # default: a draw from torch's global generator
        )
        chunks = iter(loader)
        try:
            for batch in batches:
                yield torch.cat([_raise_if_error(next(chunks)) for _ in _chunks(batch)])
        finally:
            del chunks  # ends the workers; a traceback that keeps them would outlive their queues


@dataclass(frozen=True)
class TransformedDataset(Dataset[Tensor]):
    """Transformed images, fetched by (index, seed)."""

    images: Images
    transform: Transform

    def __getitems__(self, tasks: list[list[int]]) -> Tensor | ValueError:
        """Return the images, float32, shape (n, 3, r, r), or the error of an unreadable image.

        The error is returned because DataLoader turns a raised exception into a page of traceback.
        """
        try:
            with preserve_rng_state():
                return torch.stack([self._transformed(index, seed) for index, seed in tasks])
        except UnreadableImageError as error:
            return error

    def _transformed(self, index: int, seed: int) -> Tensor:
        image = open_image(self.images, index)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - timm draws from it
        torch.default_generator.manual_seed(seed)
        return self.transform(image)


def open_image(images: Images, index: int) -> Image.Image:
    """Return an RGB image. Raises UnreadableImageError; no other image takes its place."""
    if isinstance(images, np.ndarray):
        pixels = images[index].transpose(1, 2, 0)
        return Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    return read_image(images.path(index), images.official)


@contextmanager
def preserve_rng_state() -> Iterator[None]:
    """Restore the global generators of Python, numpy and torch at exit."""
    python, legacy, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
        torch.set_rng_state(torch_state)


def _chunks(tasks: Tasks) -> list[Tasks]:
    return [tasks[start : start + CHUNK_SIZE] for start in range(0, len(tasks), CHUNK_SIZE)]


def _init_worker(worker: int) -> None:
    """Leave Ctrl-C and the end of the terminal to the process of the trial."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    exit_with_parent()


def _identity_collate(chunk: Any) -> Any:
    return chunk


def _raise_if_error(chunk: Tensor | ValueError) -> Tensor:
    if isinstance(chunk, ValueError):
        raise chunk
    return chunk
