"""The request for the images of one batch, and the interface of its readers."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from clip_hparam.data.dataset import Images, Indices
from clip_hparam.data.reading.image import read_image

CHANNELS = 3


@dataclass(frozen=True, eq=False)
class ReadRequest:
    """Images that are read into one batch.

    images: name of their set: TRAIN, or a key of the evaluation sets.
    index: of the images in their set, shape (n,).
    draws: random numbers of each image, shape (n, ...), as the reader needs them; None: the images
        are read without augmentation.
    resolution: side of the result in px.
    """

    images: str
    index: Indices
    draws: NDArray[Any] | None
    resolution: int

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: slice) -> "ReadRequest":
        draws = None if self.draws is None else self.draws[rows]
        return replace(self, index=self.index[rows], draws=draws)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the batch."""
        return len(self), CHANNELS, self.resolution, self.resolution


class ImageReader(Protocol):
    """Reads images one by one; it is copied to each worker process.

    dtype: of the pixels that it writes.
    """

    dtype: torch.dtype

    def read(self, images: Images, request: ReadRequest, out: Tensor) -> None:
        """Write the images of a request to `out`, which has its shape.

        Raises: UnreadableImageError.
        """


def open_image(images: Images, index: int) -> Image.Image:
    """Return an RGB image. Raises UnreadableImageError; no other image takes its place."""
    if isinstance(images, np.ndarray):
        pixels = images[index].transpose(1, 2, 0)
        return Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    image = read_image(images.path(index), images.official, images.content(index))
    if not images.border:
        return image
    width, height = image.size
    return image.crop((images.border, images.border, width - images.border, height - images.border))
