"""Read predictions.npz: the predictions of a trial, and images of its most confident errors."""

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clip_hparam.analysis.evidence.images.correct_bits import READ_ERRORS
from clip_hparam.analysis.frames.json_files import UnreadableError
from clip_hparam.records import archive

FILE = "predictions.npz"


class SetPredictions(NamedTuple):
    """Predictions for a set: labels, predicted classes and their probability, shape (images,)."""

    labels: NDArray[np.integer]
    predicted: NDArray[np.integer]
    probability: NDArray[np.float32]

    def confusion(self, classes: int) -> NDArray[np.int64]:
        """Return how many images of each class (row) are predicted as each class (column)."""
        cells = self.labels.astype(np.int64) * classes + self.predicted
        return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


class ConfidentError(NamedTuple):
    """A wrong prediction. image: its index in the set. picture: its JPEG bytes."""

    image: int
    label: int
    predicted: int
    probability: float
    picture: bytes


def read_predictions(folder: str | Path, name: str = "test") -> SetPredictions | None:
    """Return the predictions for a set; None if the trial has no such file, or not of this set.

    Raises:
        UnreadableError: the file is damaged.
    """
    arrays = _read(folder, name, SetPredictions._fields)
    if arrays is None:
        return None
    labels, predicted, probability = arrays
    return SetPredictions(labels, predicted, probability)


def read_errors(folder: str | Path, name: str = "test") -> list[ConfidentError]:
    """Return the most confident errors, the most confident first; none if they are not recorded.

    Raises:
        UnreadableError: the file is damaged.
    """
    arrays = _read(folder, name, (*SetPredictions._fields, "errors", "pictures"))
    if arrays is None:
        return []
    labels, predicted, probability, errors, pictures = arrays
    return [
        ConfidentError(
            *(int(image), int(labels[image]), int(predicted[image])),
            *(float(probability[image]), bytes(picture)),
        )
        for image, picture in zip(errors, pictures, strict=True)
    ]


def _read(folder: str | Path, name: str, columns: tuple[str, ...]) -> list[NDArray[Any]] | None:
    content = archive.read_bytes(f"{folder}/{FILE}")
    if content is None:
        return None
    try:
        with np.load(io.BytesIO(content)) as npz:
            if f"{name}.errors" not in npz:
                return None
            return [npz[f"{name}.{column}"] for column in columns]
    except (KeyError, *READ_ERRORS) as error:
        raise UnreadableError(f"{Path(folder) / FILE} cannot be read") from error
