"""Reader for augment_backend=timm: decodes and augments image by image.

timm draws from the global generators of Python, numpy and torch. They are seeded for each image, so
that an augmented image is a function of (seed, epoch, position) in whichever process it is read.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.dataset import Images
from clip_hparam.data.loading.read_request import ReadRequest, open_image
from clip_hparam.data.reading.silence_decoders import silence_pillow
from clip_hparam.data.transforms.timm_pipeline import eval_transform, train_transform


class TimmReader:
    """Reads normalised images, float32. draws of a request: the seed of each image."""

    dtype = torch.float32

    def __init__(self, recipe: ResolvedRecipe) -> None:
        self.transform = train_transform(recipe)
        self.interpolation = recipe.interpolation
        self.normalization = recipe.encoder.pixels

    def read(self, images: Images, request: ReadRequest, out: Tensor) -> None:
        """Write the images of a request to `out`, see `requests.ImageReader`."""
        transform = self.transform
        if request.draws is None:
            transform = eval_transform(request.resolution, self.interpolation, self.normalization)
        with preserve_rng_state(), silence_pillow():
            for row, index in enumerate(request.index):
                image = open_image(images, int(index))
                if request.draws is not None:
                    _seed_generators(int(request.draws[row]))
                out[row] = transform(image)


def _seed_generators(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - timm draws from it
    torch.default_generator.manual_seed(seed)


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
