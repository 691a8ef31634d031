"""CIFAR-10 and CIFAR-100 from the files of their Python version, as torchvision leaves them.

Source: https://www.cs.toronto.edu/~kriz/cifar.html
"""

import io
import pickle
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from clip_hparam.data.arrays.array_dataset import LabelledArray, to_dataset
from clip_hparam.data.dataset import ImageDataset

SHAPE = (3, 32, 32)
HINT = "unpack the Python version of the data set there again"
ALLOWED_GLOBALS = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
"""All that an array in a pickle needs; a file that names anything else is refused."""


@dataclass(frozen=True)
class CifarFiles:
    """Names of a version: its folder, files, and the keys of labels and class names."""

    folder: str
    train: tuple[str, ...]
    test: str
    meta: str
    labels: str
    names: str


CIFAR10 = CifarFiles(
    "cifar-10-batches-py",
    tuple(f"data_batch_{number}" for number in range(1, 6)),
    *("test_batch", "batches.meta", "labels", "label_names"),
)
CIFAR100 = CifarFiles(
    "cifar-100-python", ("train",), *("test", "meta", "fine_labels", "fine_label_names")
)


def load_cifar10(root: Path) -> ImageDataset:
    """Return 50,000 images to train on and 10,000 to test on, of 10 classes.

    Raises: FileNotFoundError if a file is missing, ValueError for one that cannot be read.
    """
    return _load(root, CIFAR10)


def load_cifar100(root: Path) -> ImageDataset:
    """Return 50,000 images to train on and 10,000 to test on, of 100 classes; likewise."""
    return _load(root, CIFAR100)


@cache
def _load(root: Path, files: CifarFiles) -> ImageDataset:
    folder = root if root.name == files.folder else root / files.folder
    other, dataset = (CIFAR100, "cifar100") if files is CIFAR10 else (CIFAR10, "cifar10")
    if not folder.is_dir() and other.folder in (root.name, *(path.name for path in root.iterdir())):
        raise FileNotFoundError(
            f"data.root={root} holds {other.folder} and no {files.folder}: try data={dataset}"
        )
    for name in (*files.train, files.test, files.meta):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder / name} is missing: {HINT}")
    names = _entry(folder / files.meta, _read_pickle(folder / files.meta), files.names)
    batches = [_read_batch(folder / name, files) for name in files.train]
    train = LabelledArray(*(np.concatenate(parts) for parts in zip(*batches, strict=True)))
    test = _read_batch(folder / files.test, files)
    return to_dataset(tuple(map(str, names)), train, test, str(folder))


def _read_batch(path: Path, files: CifarFiles) -> LabelledArray:
    batch = _read_pickle(path)
    pixels, labels = _entry(path, batch, "data"), _entry(path, batch, files.labels)
    try:
        images = np.asarray(pixels, np.uint8).reshape(-1, *SHAPE)
        return LabelledArray(images, np.asarray(labels, np.int64).reshape(len(images)))
    except ValueError:
        raise ValueError(f"{path} does not hold images of 32 x 32 px: {HINT}") from None


def _entry(path: Path, tree: Any, key: str) -> Any:
    if not isinstance(tree, dict) or key not in tree:
        raise ValueError(f"{path} has no {key}: {HINT}")
    return tree[key]


def _read_pickle(path: Path) -> Any:
    try:
        return _ArrayUnpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except Exception:  # a damaged pickle raises many types
        raise ValueError(f"{path} cannot be read: {HINT}") from None


class _ArrayUnpickler(pickle.Unpickler):
    """Reads arrays, lists and dicts; a pickle may otherwise run any code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED_GLOBALS:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)
