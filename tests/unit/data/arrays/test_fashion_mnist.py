"""Fashion-MNIST is read from the layouts of Debian and of torchvision."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.data_files import fashion_mnist as write_files
from support.data_files import idx

from clip_hparam.config.recipe import Data
from clip_hparam.data.arrays.fashion_mnist import DEBIAN_ROOT, load_fashion_mnist
from clip_hparam.data.datasets import DATASETS, load_dataset


def test_both_layouts_hold_the_same_data_set(tmp_path: Path) -> None:
    debian = load_fashion_mnist(write_files(tmp_path / "debian"))
    torchvision = load_fashion_mnist(
        write_files(tmp_path / "torchvision", "FashionMNIST/raw", compressed=False)
    )
    assert debian.fingerprint == torchvision.fingerprint
    assert debian.train.shape == (200, 1, 28, 28)  # type: ignore[union-attr]
    assert debian.classes[-1] == "ankle boot"
    assert np.bincount(debian.test.labels).tolist() == [2] * 10


LABELS = "t10k-labels-idx1-ubyte.gz"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (LABELS, b"no gzip", "cannot be decompressed"),
        (LABELS, gzip.compress(b"short", mtime=0), "is not a whole IDX file of 1 dimensions"),
        (LABELS, gzip.compress(idx(np.zeros(19, np.uint8)), mtime=0), "20 images and 19 labels"),
        (
            LABELS,
            gzip.compress(idx(np.zeros((20, 1), np.uint8)), mtime=0),
            "is not a whole IDX file",
        ),
        (LABELS, gzip.compress(idx(np.full(20, 10, np.uint8)), mtime=0), "are not all below 10"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    root = write_files(tmp_path)
    (root / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_fashion_mnist(root)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no train-images-idx3-ubyte"):
        load_fashion_mnist(tmp_path)
    root = write_files(tmp_path)
    (root / LABELS).unlink()
    with pytest.raises(FileNotFoundError, match="t10k-labels-idx1-ubyte is missing"):
        load_fashion_mnist(root)


def test_without_a_root_the_folder_of_debian_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = DATASETS["fashion_mnist"]
    assert spec.default_root == DEBIAN_ROOT
    absent = str(tmp_path / "absent")
    monkeypatch.setitem(DATASETS, "fashion_mnist", replace(spec, default_root=absent))
    with pytest.raises(FileNotFoundError, match=f"not set, and {absent} does not exist"):
        load_dataset(Data(name="fashion_mnist"))
