"""Predict the classes of the images in a folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from clip_hparam.config.knob import AUTO
from clip_hparam.data.dataset import ImageFiles
from clip_hparam.data.file_index import IMAGE_SUFFIXES, index_folder
from clip_hparam.data.folders.image_check import check_files
from clip_hparam.weights.models.inference import logits_of_sets
from clip_hparam.weights.models.trained_model import TrainedModel

FOLDER = "folder"


class FolderPredictions(NamedTuple):
    """Predictions for the readable images of a folder.

    files: paths relative to the folder, sorted. probabilities: float32, shape (files, classes).
    unreadable: a sentence for each image that was left out.
    """

    files: list[str]
    classes: tuple[str, ...]
    probabilities: Tensor
    unreadable: list[str]

    def rows(self, top: int | None = None) -> Iterator[list[str]]:
        """Yield the rows of the CSV file, the header first.

        file, predicted, probability, then `p.CLASS` for each class; with `top` the classes and
        probabilities of the first ones, best first.
        """
        ranks = range(1, 1 + min(top or 0, len(self.classes)))
        if top is None:
            yield ["file", "predicted", "probability", *(f"p.{name}" for name in self.classes)]
        else:
            yield ["file", *(text for k in ranks for text in (f"class_{k}", f"p_{k}"))]
        for file, row in zip(self.files, self.probabilities.tolist(), strict=True):
            order = sorted(range(len(row)), key=lambda index: -row[index])
            if top is None:
                best = order[0]
                yield [file, self.classes[best], _text(row[best]), *map(_text, row)]
            else:
                best_first = order[: len(ranks)]
                texts = (text for k in best_first for text in (self.classes[k], _text(row[k])))
                yield [file, *texts]


def predict_folder(model: TrainedModel, folder: Path, device: str = AUTO) -> FolderPredictions:
    """Return the predictions for all images below a folder.

    Raises: FileNotFoundError for a missing folder, ValueError for one without a readable image.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder: name a folder of images")
    paths = index_folder(folder).paths
    images = ImageFiles(folder, np.array([os.fsencode(path) for path in paths], dtype=np.bytes_))
    bad = check_files(images) if len(images) else {}
    kept = np.setdiff1d(np.arange(len(images)), list(bad)).astype(np.int64)
    if not len(kept):
        reason = next(iter(bad.values()), f"images end in {', '.join(IMAGE_SUFFIXES)}")
        raise ValueError(f"{folder} holds no image that can be read: {reason}")
    ((_, logits),) = logits_of_sets(model, {FOLDER: images[kept]}, device)
    files = [paths[index] for index in kept]
    return FolderPredictions(files, model.classes, logits.softmax(dim=1), list(bad.values()))


def _text(probability: float) -> str:
    return f"{probability:.6f}"
