"""The most confident errors of a model, with small copies of the images."""

import io
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clip_hparam.data.dataset import Images, Indices
from clip_hparam.data.loading.read_request import open_image
from clip_hparam.training.metrics.predictions import Predictions

MAX_ERRORS = 32
MAX_SIDE = 64  # px
JPEG_QUALITY = 85


class ConfidentErrors(NamedTuple):
    """Errors, the most confident first.

    indices: of the images in their set.
    pictures: of at most 64 px, each as the bytes of a JPEG file; dtype S, shape (n,).
    """

    indices: Indices
    pictures: NDArray[np.bytes_]


def most_confident_errors(predictions: Predictions) -> Indices:
    """Return the indices of at most 32 wrong predictions, the highest probability first."""
    wrong = np.flatnonzero(~predictions.correct)
    order = np.argsort(-predictions.confidence[wrong], kind="stable")
    index: Indices = wrong[order[:MAX_ERRORS]]
    return index


def confident_errors(predictions: Predictions, images: Images) -> ConfidentErrors:
    """Return the most confident errors with small copies of their images."""
    index = most_confident_errors(predictions)
    pictures = [_picture(images, int(position)) for position in index]
    return ConfidentErrors(index, np.array(pictures, np.bytes_))


def _picture(images: Images, index: int) -> bytes:
    image = open_image(images, index)
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
