"""Fashion-MNIST from its four IDX files, as torchvision or Debian's package leaves them.

Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST", 2017.
"""

import gzip
import zlib
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip_hparam.data.arrays.array_dataset import LabelledArray, to_dataset
from clip_hparam.data.dataset import ImageDataset

CLASSES = (
    *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
DEBIAN_ROOT = "/usr/share/datasets/fashion-mnist"
FOLDERS = ("", "FashionMNIST/raw", "raw")
"""Folders below `data.root` that are looked into: Debian's layout, then torchvision's."""
FIRST_FILE = "train-images-idx3-ubyte"
UNSIGNED_BYTE = 8  # IDX's code of the type


@cache
def load_fashion_mnist(root: Path) -> ImageDataset:
    """Return 60,000 images to train on and 10,000 to test on, shape (n, 1, 28, 28).

    Raises: FileNotFoundError if a file is missing, ValueError for one that cannot be read.
    """
    for folder in (root / name for name in FOLDERS):
        if _existing(folder / FIRST_FILE) is not None:
            train, test = (_read_part(folder, prefix) for prefix in ("train", "t10k"))
            return to_dataset(CLASSES, train, test, str(folder))
    raise FileNotFoundError(
        f"data.root={root} holds no {FIRST_FILE}, also not with .gz or in FashionMNIST/raw: put the"
        " four files of Fashion-MNIST there"
    )


def _read_part(folder: Path, prefix: str) -> LabelledArray:
    images = _read_idx(folder / f"{prefix}-images-idx3-ubyte", 3)
    labels = _read_idx(folder / f"{prefix}-labels-idx1-ubyte", 1)
    if len(images) != len(labels):
        raise ValueError(
            f"{folder}: {prefix} has {len(images):,} images and {len(labels):,} labels: get both"
            " files again"
        )
    return LabelledArray(images[:, None], labels.astype(np.int64))


def _existing(path: Path) -> Path | None:
    return next(
        (candidate for candidate in (path, Path(f"{path}.gz")) if candidate.is_file()), None
    )


def _read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the array of an IDX file, which may be compressed."""
    file = _existing(path)
    if file is None:
        raise FileNotFoundError(f"{path} is missing, also with .gz: put it there")
    try:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError, zlib.error):
        raise ValueError(f"{file} cannot be decompressed: get the file again") from None
    head = 4 * (1 + dimensions)
    magic = (UNSIGNED_BYTE << 8) + dimensions
    numbers = np.frombuffer(content[:head].ljust(head, b"\0"), ">u4")
    shape = tuple(int(size) for size in numbers[1:])
    if int(numbers[0]) != magic or len(content) - head != int(np.prod(shape)):
        raise ValueError(f"{file} is not a whole IDX file of {dimensions} dimensions: get it again")
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)
