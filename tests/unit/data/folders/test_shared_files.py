"""Images that are in two sets are counted: training, selection and test set."""

from pathlib import Path

import numpy as np
import pytest

from clip_hparam.data.dataset import SELECTION, TEST, EvalSet, ImageDataset, ImageFiles, Images
from clip_hparam.data.folders import shared_files
from clip_hparam.data.folders.shared_files import shared_array_notes, shared_file_notes


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))


def dataset(train: Images, selection: Images, test: Images) -> ImageDataset:
    sets = {SELECTION: selection, TEST: test}
    return ImageDataset(
        classes=("cat", "dog"),
        train=train,
        train_labels=np.zeros(len(train), np.int64),
        eval_sets={
            name: EvalSet(images, np.zeros(len(images), np.int64)) for name, images in sets.items()
        },
        fingerprint="",
    )


def files(root: Path, contents: str) -> ImageFiles:
    """Write a file for each letter."""
    for letter in contents:
        (root / f"{letter}.png").write_text(letter)
    return ImageFiles(root, np.array([f"{letter}.png".encode() for letter in contents]))


def pixels(values: str) -> Images:
    return np.array([[[[ord(value)]]] for value in values], np.uint8)


@pytest.fixture
def images(tmp_path: Path) -> ImageDataset:
    """Return a data set whose test set holds a training image and two selection images."""
    roots = [tmp_path / name for name in ("train", "val", "test")]
    for root in roots:
        root.mkdir()
    return dataset(*map(files, roots, ("abc", "def", "bdexy")))


def test_files_of_the_training_and_of_the_selection_set_are_counted_in_the_test_set(
    images: ImageDataset, tmp_path: Path
) -> None:
    of_train, of_selection = shared_file_notes(images)
    assert of_train == (
        "1 of 5 images of the test set are training images too (links or copies of files in"
        f" {tmp_path}/train), such as b.png: they inflate its accuracy"
    )
    assert of_selection == (
        "2 of 5 images of the test set are selection images too (links or copies of files in"
        f" {tmp_path}/val), such as d.png: they choose the epoch that it measures"
    )


def test_sets_below_one_root_have_separate_cache_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_files = files(tmp_path, "abcdef")
    parts = [all_files[np.array(part)] for part in ([0, 1], [1, 2], [3, 4, 1])]
    notes = shared_file_notes(dataset(*parts))
    assert [note.partition(" too")[0] for note in notes] == [
        "1 of 2 images of the selection set are training images",
        "1 of 3 images of the test set are training images",
        "1 of 3 images of the test set are selection images",
    ]
    monkeypatch.setattr(shared_files, "_compared", None)
    assert shared_file_notes(dataset(*parts)) == notes


def test_arrays_are_compared_pixel_by_pixel() -> None:
    notes = shared_array_notes(dataset(pixels("abc"), pixels("de"), pixels("bde")))
    assert notes == (
        "1 of 3 images of the test set are training images too, pixel by pixel: they inflate its"
        " accuracy",
        "2 of 3 images of the test set are selection images too, pixel by pixel: they choose the"
        " epoch that it measures",
    )
    assert shared_array_notes(dataset(pixels("abc"), pixels("de"), pixels("xyz"))) == ()


def test_more_files_than_the_limit_are_not_compared(images: ImageDataset) -> None:
    assert shared_file_notes(images, limit=7) == ()
    assert len(shared_file_notes(images, limit=8)) == 2
