"""The most confident errors come first, each with its picture."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from clip_hparam.data.dataset import ImageFiles
from clip_hparam.training.metrics.errors import (
    MAX_ERRORS,
    MAX_SIDE,
    confident_errors,
    most_confident_errors,
)
from clip_hparam.training.metrics.predictions import Predictions


def test_errors_are_wrong_and_sorted_by_confidence(predictions: Predictions) -> None:
    index = most_confident_errors(predictions)
    assert len(index) == MAX_ERRORS
    assert not predictions.correct[index].any()
    confidence = predictions.confidence[index]
    assert (np.diff(confidence) <= 0).all()
    others = np.setdiff1d(np.flatnonzero(~predictions.correct), index)
    assert predictions.confidence[others].max() <= confidence.min()


def opened(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture))


def test_pictures_are_the_images_in_the_order_of_the_errors(predictions: Predictions) -> None:
    levels = np.arange(200, dtype=np.uint8)
    images = np.broadcast_to(levels[:, None, None, None], (200, 1, 8, 8))
    index, pictures = confident_errors(predictions, images)
    read = [np.asarray(opened(picture))[0, 0, 0] for picture in pictures]
    np.testing.assert_allclose(read, index, atol=2)


def test_pictures_of_large_files_are_small(predictions: Predictions, tmp_path: Path) -> None:
    Image.new("RGB", (400, 200), (255, 0, 0)).save(tmp_path / "wide.png")
    files = ImageFiles(tmp_path, np.array([b"wide.png"] * 200))
    pictures = confident_errors(predictions, files).pictures
    assert opened(pictures[0]).size == (MAX_SIDE, MAX_SIDE // 2)
    assert len(pictures) == MAX_ERRORS


def test_no_error_has_no_picture(predictions: Predictions) -> None:
    right = replace(predictions, labels=predictions.predicted)
    index, pictures = confident_errors(right, np.zeros((200, 3, 4, 4), np.uint8))
    assert (len(index), len(pictures)) == (0, 0)
