"""Data sets as they are found: which images, which labels, which fingerprint, or why not."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import image_folders

from clip_hparam.config.recipe import Data
from clip_hparam.data import image_folder
from clip_hparam.data.dataset import ImageDataset, ImageFiles, Images, Labels
from clip_hparam.data.datasets import load_dataset, load_digits

WNIDS = ("n01440764", "n01443537", "n02084071")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    yield
    image_folder.load_imagenet.cache_clear()
    image_folder.load_image_folder.cache_clear()


def classes_of(images: Images, depth: int = -2) -> list[str]:
    """The class folder of each file."""
    assert isinstance(images, ImageFiles)
    return [images.path(index).parts[depth] for index in range(len(images))]


def named(found: ImageDataset, labels: Labels) -> list[str]:
    return [found.classes[label] for label in labels]


def read(name: str, root: Path) -> ImageDataset:
    return load_dataset(Data(name=name, root=str(root)))


def test_digits_are_halved_by_class_for_ever() -> None:
    found = load_digits()
    assert found.classes == tuple("0123456789")
    assert (len(found.labels), len(found.test_labels)) == (901, 896)
    assert found.fingerprint.startswith("e5ea6c9d6c68")


def test_imagenets_classes_are_its_sorted_wnids_and_val_is_the_test(tmp_path: Path) -> None:
    root = image_folders.imagenet(tmp_path / "in")
    found = read("imagenet", root)
    assert found.classes == WNIDS
    assert named(found, found.labels) == classes_of(found.pool)
    assert named(found, found.test_labels) == classes_of(found.test)
    assert (len(found.pool), len(found.test)) == (18, 6)
    assert set(classes_of(found.pool, -3)) == {"train"}
    assert set(classes_of(found.test, -3)) == {"val"}


def test_a_fingerprint_is_of_what_is_there_not_of_where(tmp_path: Path) -> None:
    root = image_folders.imagenet(tmp_path / "in")
    shutil.copytree(root, tmp_path / "copy")
    before = read("imagenet", root).fingerprint
    assert read("imagenet", tmp_path / "copy").fingerprint == before
    (tmp_path / "copy" / "val" / WNIDS[0] / "0.JPEG").unlink()
    image_folder.load_imagenet.cache_clear()
    assert read("imagenet", tmp_path / "copy").fingerprint != before


def flat_val(root: Path) -> None:
    shutil.rmtree(root / "val")
    image_folders.grow(root, {"val": 2})


def no_val(root: Path) -> None:
    shutil.rmtree(root / "val")


def words(root: Path) -> None:
    for part in ("train", "val"):
        (root / part / WNIDS[0]).rename(root / part / "tench")


def more_in_val(root: Path) -> None:
    image_folders.grow(root, {"val/n09999999": 1})


def an_empty_class(root: Path) -> None:
    (root / "train" / "n00000001").mkdir()


def nothing(root: Path) -> None:
    for part in ("train", "val"):
        shutil.rmtree(root / part)
        (root / part).mkdir()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (flat_val, r"val/0.JPEG is not in a class folder: move it to .*val/CLASS/"),
        (no_val, r"has no folder val: data=imagenet reads train/n01440764/\*.JPEG and val/"),
        (words, r"train/tench is not named by a WordNet id .*: try data=folder"),
        (more_in_val, r"val/n09999999 is a class that .*train does not have"),
        (an_empty_class, r"train/n00000001 holds no image: they end in .jpg"),
        (nothing, r"train holds no class folders: images are read from .*train/CLASS/"),
    ],
)
def test_a_tree_of_another_kind_is_refused_in_one_sentence(
    tmp_path: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    root = image_folders.imagenet(tmp_path / "in")
    spoil(root)
    with pytest.raises((ValueError, FileNotFoundError), match=sentence) as error:
        read("imagenet", root)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (Data(name="imagenet"), "data.root is not set: type data=imagenet data.root=PATH"),
        (
            Data(name="folder", root="/proc/nowhere"),
            "data.root=/proc/nowhere is not a folder: type data=fol",
        ),
        (Data(name="digits", root="/tmp"), "data.root=/tmp is not read by data=digits: try"),
        (Data(name="imagnet"), "unknown data.name=imagnet: did you mean imagenet?"),
    ],
)
def test_a_missing_folder_is_a_sentence_that_says_what_to_type(data: Data, sentence: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        load_dataset(data)
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize(
    ("parts", "test"),
    [(("train", "test"), "test"), (("train", "val"), "val"), (("train", "val", "test"), "test")],
)
def test_a_folder_with_parts_uses_them_as_they_are(
    tmp_path: Path, parts: tuple[str, ...], test: str
) -> None:
    classes = ("cat", "dog")
    root = image_folders.grow(tmp_path, {f"{part}/{name}": 3 for part in parts for name in classes})
    found = read("folder", root)
    assert found.classes == classes
    assert set(classes_of(found.pool, -3)) == {"train"}
    assert set(classes_of(found.test, -3)) == {test}


@pytest.mark.parametrize("part", ["", "train/"])
def test_without_a_test_set_a_fixed_fifth_of_each_class_is_one(tmp_path: Path, part: str) -> None:
    root = image_folders.grow(tmp_path / "some", {f"{part}cat": 10, f"{part}dog": 5}, ".jpg")
    found = read("folder", root)
    assert named(found, found.test_labels) == classes_of(found.test) == ["cat", "cat", "dog"]
    assert named(found, found.labels) == classes_of(found.pool)
    assert isinstance(found.pool, ImageFiles)
    assert isinstance(found.test, ImageFiles)
    assert not set(found.pool.paths) & set(found.test.paths)
    assert len(found.pool) + len(found.test) == 15


def test_a_class_of_one_image_cannot_be_divided(tmp_path: Path) -> None:
    root = image_folders.grow(tmp_path / "some", {"cat": 3, "dog": 1})
    with pytest.raises(ValueError, match="dog holds one image, and a class needs two"):
        read("folder", root)


def test_names_that_are_not_utf8_are_kept(tmp_path: Path) -> None:
    root = image_folders.grow(tmp_path / "some", {"cat": 2, "dög": 2})
    odd = os.fsdecode(b"\xff.jpg")
    shutil.copy(root / "cat" / "0.JPEG", root / "cat" / odd)
    found = read("folder", root)
    files = [
        images.path(index)
        for images in (found.pool, found.test)
        if isinstance(images, ImageFiles)
        for index in range(len(images))
    ]
    assert sorted(files) == sorted(path for path in root.rglob("*") if path.is_file())
