"""Write small files in the layouts of CIFAR, Fashion-MNIST and tables of images."""

import gzip
import pickle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from support.image_folders import grow, imagenet
from support.pack_files import hf_parquet, shards


def cifar(root: Path, folder: str = "cifar-10-batches-py", classes: int = 10) -> Path:
    """Write CIFAR's pickles with `classes` classes of four training images and two test images."""
    names = {"cifar-10-batches-py": ("labels", "label_names", "batches.meta", "test_batch")}
    labels, label_names, meta, test = names.get(
        folder, ("fine_labels", "fine_label_names", "meta", "test")
    )
    batches = [f"data_batch_{n}" for n in range(1, 6)] if folder in names else ["train"]
    (root / folder).mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name in (*batches, test):
        size = classes * (2 if name == test else 20 // len(batches))
        pixels = generator.integers(0, 256, (size, 3072), np.uint8)
        batch = {"data": pixels, labels: [n % classes for n in range(size)]}
        (root / folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    known = {label_names: [f"class {n}" for n in range(classes)]}
    (root / folder / meta).write_bytes(pickle.dumps(known, protocol=2))
    return root


def idx(array: NDArray[np.uint8]) -> bytes:
    """Return an array in the IDX format."""
    head = np.array([(8 << 8) + array.ndim, *array.shape], ">u4")
    return head.tobytes() + array.tobytes()


def fashion_mnist(root: Path, folder: str = "", compressed: bool = True) -> Path:
    """Write the four files with 20 training images and two test images of each class."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    for prefix, size in (("train", 200), ("t10k", 20)):
        images = generator.integers(0, 256, (size, 28, 28), np.uint8)
        labels = (np.arange(size) % 10).astype(np.uint8)
        for name, array in ((f"{prefix}-images-idx3", images), (f"{prefix}-labels-idx1", labels)):
            content, path = idx(array), root / folder / f"{name}-ubyte"
            if compressed:
                path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content, 1))
            else:
                path.write_bytes(content)
    return root


def table(root: Path, name: str = "images.csv") -> Path:
    """Write images of two classes and a table of them; return the table."""
    grow(root, {"some": 12})
    rows = [f"some/{n}.JPEG,{'cat' if n % 2 else 'dog'}" for n in range(12)]
    (root / name).write_text("\n".join(["path,label", *rows]) + "\n")
    return root / name


def data_root(name: str, root: Path) -> Path:
    """Write the smallest data set of a name, and return its `data.root`."""
    if name == "cifar10":
        return cifar(root / name)
    if name == "cifar100":
        return cifar(root / name, "cifar-100-python", 100)
    if name == "fashion_mnist":
        return fashion_mnist(root / name)
    if name == "shards":
        return shards(root / name)
    if name == "hf_parquet":
        return hf_parquet(root / name)
    return table(root / name) if name == "table" else imagenet(root / name)
