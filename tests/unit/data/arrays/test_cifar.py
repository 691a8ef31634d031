"""CIFAR is read from its pickles, and from nothing else that a pickle may hold."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from support.data_files import cifar as write_cifar

from clip_hparam.data.arrays import cifar
from clip_hparam.data.arrays.cifar import load_cifar10, load_cifar100


def test_images_of_cifar10_are_those_of_its_batches(tmp_path: Path) -> None:
    root = write_cifar(tmp_path)
    dataset = load_cifar10(root)
    assert dataset.classes[:2] == ("class 0", "class 1")
    assert dataset.train.shape == (200, 3, 32, 32)  # type: ignore[union-attr]
    assert np.bincount(dataset.test.labels).tolist() == [2] * 10
    second = pickle.loads((root / "cifar-10-batches-py" / "data_batch_2").read_bytes())
    np.testing.assert_array_equal(dataset.train[40], second["data"][0].reshape(3, 32, 32))
    assert load_cifar10(root / "cifar-10-batches-py").fingerprint == dataset.fingerprint


def test_cifar100_has_its_fine_classes(tmp_path: Path) -> None:
    dataset = load_cifar100(write_cifar(tmp_path, "cifar-100-python", 100))
    assert len(dataset.classes) == 100
    assert (len(dataset.train), len(dataset.test.labels)) == (2000, 200)


def test_pickles_of_old_numpy_are_read(tmp_path: Path) -> None:
    root = write_cifar(tmp_path)
    before = load_cifar10(root).fingerprint
    for path in (root / "cifar-10-batches-py").iterdir():
        path.write_bytes(path.read_bytes().replace(b"numpy._core", b"numpy.core"))
    cifar._load.cache_clear()
    assert load_cifar10(root).fingerprint == before


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    root = write_cifar(tmp_path)
    (root / "cifar-10-batches-py" / "data_batch_3").unlink()
    with pytest.raises(FileNotFoundError, match="data_batch_3 is missing: unpack"):
        load_cifar10(root)


def test_the_folder_of_the_other_version_is_named(tmp_path: Path) -> None:
    root = write_cifar(tmp_path)
    for given in (root, root / "cifar-10-batches-py"):
        with pytest.raises(FileNotFoundError, match=r"and no .*-python: try data=cifar10"):
            load_cifar100(given)


class Evil:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return print, ("code of a pickle",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no pickle", "cannot be read"),
        (pickle.dumps(Evil()), "cannot be read"),
        (pickle.dumps({"data": [1]}), "has no labels"),
        (pickle.dumps({"data": [1], "labels": [1]}), "does not hold images of 32 x 32 px"),
        (pickle.dumps({"data": [0] * 3072, "labels": [10]}), "labels of test are not all below 10"),
    ],
)
def test_a_wrong_file_is_refused_and_runs_nothing(
    tmp_path: Path, content: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_cifar(tmp_path)
    (root / "cifar-10-batches-py" / "test_batch").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_cifar10(root)
    assert capsys.readouterr().out == ""
