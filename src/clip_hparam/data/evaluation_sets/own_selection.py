"""A selection set of one's own (`data.selection_root`): a folder, or a list of training images."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from clip_hparam.data.dataset import (
    SELECTION,
    TRAIN,
    EvalSet,
    ImageDataset,
    ImageFiles,
    Indices,
)
from clip_hparam.data.folders.class_folders import refuse_unknown_classes
from clip_hparam.data.folders.labelled_folder import read_labelled_folder

FORM = "name a folder of class folders, or a text file with one training image per line"


@cache
def with_own_selection(dataset: ImageDataset, place: str) -> ImageDataset:
    """Return the data set with the selection set that `data.selection_root` names.

    The images that a file lists, by path or by index, are no longer trained on.

    Raises: FileNotFoundError if there is nothing at the place, ValueError for a class or an image
    that the training set does not have.
    """
    path = Path(place).expanduser().resolve()
    if path.is_dir():
        return _with_folder(dataset, path)
    if path.is_file():
        return _with_list(dataset, path)
    raise FileNotFoundError(f"data.selection_root={place} does not exist: {FORM}")


def _with_folder(dataset: ImageDataset, root: Path) -> ImageDataset:
    official = isinstance(dataset.train, ImageFiles) and dataset.train.official
    folder = read_labelled_folder(root, official, least=1)
    refuse_unknown_classes(root, folder.classes, dataset.classes)
    own = EvalSet(folder.files, folder.labels(dataset.classes))
    return _with_set(dataset, own, folder.identity, str(root))


def _with_list(dataset: ImageDataset, file: Path) -> ImageDataset:
    index = _listed_images(dataset, file)
    kept: Indices = np.setdiff1d(np.arange(len(dataset.train_labels)), index)
    lacking = np.flatnonzero(
        np.bincount(dataset.train_labels[kept], minlength=len(dataset.classes)) == 0
    )
    if len(lacking):
        raise ValueError(
            f"data.selection_root={file} lists all images of class"
            f" {dataset.classes[int(lacking[0])]}, and none is left to train on: leave one out"
        )
    own = EvalSet(dataset.train[index], dataset.train_labels[index])
    trained = replace(dataset, train=dataset.train[kept], train_labels=dataset.train_labels[kept])
    identity = hashlib.sha256(f"listed {index.tolist()}".encode()).hexdigest()
    return _with_set(trained, own, identity, f"{dataset.sources[TRAIN]}, listed in {file}")


def _with_set(dataset: ImageDataset, own: EvalSet, identity: str, source: str) -> ImageDataset:
    return replace(
        dataset,
        eval_sets={**dataset.eval_sets, SELECTION: own},
        selection_fingerprint=identity,
        sources={**dataset.sources, SELECTION: source},
    )


def _listed_images(dataset: ImageDataset, file: Path) -> Indices:
    """Return the sorted indices of the training images that a file lists.

    Raises: ValueError for a line that is no training image, or is there twice.
    """
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise ValueError(f"data.selection_root={file} is not a text file: {FORM}") from None
    names = [line for line in lines if line and not line.startswith("#")]
    known = _index_by_name(dataset)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        what = f"lists {unknown[0]}, which is not a training image" if unknown else "lists no image"
        example = next(iter(known))
        raise ValueError(f"data.selection_root={file} {what}: write lines such as {example}")
    index = np.array([known[name] for name in names])
    if len(set(index.tolist())) < len(index):
        raise ValueError(f"data.selection_root={file} lists an image twice: keep one line")
    return np.sort(index)


def _index_by_name(dataset: ImageDataset) -> dict[str, int]:
    """Return the index of each training image by its path, or by the index where it has none."""
    images = dataset.train
    if isinstance(images, ImageFiles):
        paths: Sequence[bytes] = images.paths.tolist()
        return {os.fsdecode(path): index for index, path in enumerate(paths)}
    return {str(index): index for index in range(len(images))}
