"""The most confident errors of a model, with small pictures of the images."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clip_hparam.data.dataset import ImageArray, Images, Indices
from clip_hparam.data.loading.requests import open_image
from clip_hparam.training.metrics.predictions import Predictions

MAX_ERRORS = 32
MAX_SIDE = 64  # px


class ConfidentErrors(NamedTuple):
    """Errors, the most confident first.

    index: of the images in their set. pictures: uint8, shape (n, side, side, 3), side at most 64;
    an image that is not square is centred on black.
    """

    index: Indices
    pictures: ImageArray


def most_confident_errors(predictions: Predictions) -> Indices:
    """Return the indices of at most 32 wrong predictions, the highest probability first."""
    wrong = np.flatnonzero(~predictions.correct)
    order = np.argsort(-predictions.confidence[wrong], kind="stable")
    index: Indices = wrong[order[:MAX_ERRORS]]
    return index


def confident_errors(predictions: Predictions, images: Images) -> ConfidentErrors:
    """Return the most confident errors with their pictures."""
    index = most_confident_errors(predictions)
    pictures = [_picture(images, int(one)) for one in index]
    side = max((max(one.shape[:2]) for one in pictures), default=0)
    return ConfidentErrors(index, np.stack([_centred(one, side) for one in pictures])
                           if pictures else np.zeros((0, 0, 0, 3), np.uint8))  # fmt: skip


def _picture(images: Images, index: int) -> NDArray[np.uint8]:
    image = open_image(images, index)
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
    return np.asarray(image)


def _centred(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    canvas = np.zeros((side, side, 3), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    canvas[top : top + height, left : left + width] = picture
    return canvas
