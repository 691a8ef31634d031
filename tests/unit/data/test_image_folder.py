"""Class folders and ImageNet's layout: which files are the test set, and what is refused."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from support import image_folders

from clip_hparam.config.recipe import Data
from clip_hparam.data import distribution_shift, labelled_parts
from clip_hparam.data.dataset import ImageDataset, ImageFiles, Images, Labels
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.file_index import index_folder

WNIDS = ("n01440764", "n01443537", "n02084071")


pytestmark = pytest.mark.usefixtures("own_cache")


def classes_of(images: Images, depth: int = -2) -> list[str]:
    """Return the class folder of each file."""
    assert isinstance(images, ImageFiles)
    return [images.path(index).parts[depth] for index in range(len(images))]


def named(dataset: ImageDataset, labels: Labels) -> list[str]:
    return [dataset.classes[label] for label in labels]


def read(name: str, root: Path) -> ImageDataset:
    return load_dataset(Data(name=name, root=str(root)))


def test_imagenet_classes_are_sorted_wnids_and_val_is_the_test_set(tmp_path: Path) -> None:
    root = image_folders.imagenet(tmp_path / "in")
    dataset = read("imagenet", root)
    assert dataset.classes == WNIDS
    assert named(dataset, dataset.train_labels) == classes_of(dataset.train)
    assert named(dataset, dataset.test.labels) == classes_of(dataset.test.images)
    assert (len(dataset.train), len(dataset.test.images)) == (18, 6)
    assert set(classes_of(dataset.train, -3)) == {"train"}
    assert set(classes_of(dataset.test.images, -3)) == {"val"}


@pytest.mark.parametrize(
    ("parts", "test"),
    [(("train", "test"), "test"), (("train", "val"), "val"), (("train", "val", "test"), "test")],
)
def test_train_and_test_folders_are_used_as_they_are(
    tmp_path: Path, parts: tuple[str, ...], test: str
) -> None:
    classes = ("cat", "dog")
    root = image_folders.grow(tmp_path, {f"{part}/{name}": 3 for part in parts for name in classes})
    dataset = read("folder", root)
    assert dataset.classes == classes
    assert set(classes_of(dataset.train, -3)) == {"train"}
    assert set(classes_of(dataset.test.images, -3)) == {test}


@pytest.mark.parametrize("part", ["", "train/"])
def test_folder_without_test_set_tests_on_a_fixed_fifth_of_each_class(
    tmp_path: Path, part: str
) -> None:
    root = image_folders.grow(tmp_path / "some", {f"{part}cat": 10, f"{part}dog": 5}, ".jpg")
    dataset = read("folder", root)
    assert (
        named(dataset, dataset.test.labels)
        == classes_of(dataset.test.images)
        == ["cat", "cat", "dog"]
    )
    assert named(dataset, dataset.train_labels) == classes_of(dataset.train)
    assert isinstance(dataset.train, ImageFiles)
    assert isinstance(dataset.test.images, ImageFiles)
    assert not set(dataset.train.paths) & set(dataset.test.images.paths)
    assert len(dataset.train) + len(dataset.test.images) == 15


def test_class_of_one_image_is_refused(tmp_path: Path) -> None:
    root = image_folders.grow(tmp_path / "some", {"cat": 3, "dog": 1})
    with pytest.raises(ValueError, match="dog holds one image, and a class needs two"):
        read("folder", root)


def test_file_names_that_are_not_utf8_are_kept(tmp_path: Path) -> None:
    root = image_folders.grow(tmp_path / "some", {"cat": 2, "dög": 2})
    odd = os.fsdecode(b"\xff.jpg")
    shutil.copy(root / "cat" / "0.JPEG", root / "cat" / odd)
    dataset = read("folder", root)
    files = [
        images.path(index)
        for images in (dataset.train, dataset.test.images)
        if isinstance(images, ImageFiles)
        for index in range(len(images))
    ]
    assert sorted(files) == sorted(path for path in root.rglob("*") if path.is_file())


def deepen(path: Path) -> None:
    """Replace an image by one that the rules of reading read as the code before did not."""
    path.unlink()
    Image.new("I;16", (9, 9)).save(path.with_suffix(".png"))


def fingerprint_before_rules(train: Path, test: Path) -> str:
    """Return the fingerprint of a folder as all trials on record before the rules have it."""
    return labelled_parts.sha256(
        f"{index_folder(train).fingerprint} {index_folder(test).fingerprint}"
    )


@pytest.mark.parametrize("changed", ["none", "train", "val"])
def test_rules_are_in_the_fingerprint_where_they_change_a_file(
    changed: str, tmp_path: Path
) -> None:
    folders = {f"{part}/{name}": 3 for part in ("train", "val") for name in WNIDS}
    root = image_folders.grow(tmp_path / "images", folders)
    if changed != "none":
        deepen(root / changed / WNIDS[0] / "0.JPEG")
    before = fingerprint_before_rules(root / "train", root / "val")
    for name in ("folder", "imagenet"):
        assert (read(name, root).fingerprint == before) == (changed == "none")


def test_rules_are_in_the_fingerprint_of_a_shift(tmp_path: Path) -> None:
    root = image_folders.grow(tmp_path / "images", {"cat": 6, "dog": 6})
    shift = image_folders.grow(tmp_path / "shift", {"cat": 3, "dog": 3})
    plain = read("folder", root).fingerprint
    data = Data(name="folder", root=str(root), shift="folder", shift_root=str(shift))
    before = f"{plain} {index_folder(shift).fingerprint}"
    assert load_dataset(data).fingerprint == labelled_parts.sha256(before)
    deepen(shift / "dog" / "0.JPEG")
    distribution_shift._load_class_folders.cache_clear()
    after = f"{plain} {index_folder(shift).fingerprint}"
    assert load_dataset(data).fingerprint != labelled_parts.sha256(after)


def test_only_imagenet_is_read_as_the_official_code(tmp_path: Path) -> None:
    root = image_folders.imagenet(tmp_path / "in")
    for name, official in (("imagenet", True), ("folder", False)):
        data = Data(name=name, root=str(root), shift="folder", shift_root=str(root / "val"))
        dataset = load_dataset(data)
        for images in (dataset.train, *(one.images for one in dataset.eval_sets.values())):
            assert isinstance(images, ImageFiles)
            assert images.official == official
