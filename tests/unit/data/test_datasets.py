"""Data sets load with the right images, labels and fingerprint, or fail with one sentence."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support import image_folders

from clip_hparam.config.recipe import Data
from clip_hparam.data import image_folder
from clip_hparam.data.dataset import TEST, EvalSet, ImageDataset, ImageFiles, Images, Labels
from clip_hparam.data.datasets import DATASETS, DatasetSpec, class_prompts, load_dataset
from clip_hparam.data.digits import load_digits

WNIDS = ("n01440764", "n01443537", "n02084071")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    yield
    image_folder.load_imagenet.cache_clear()
    image_folder.load_image_folder.cache_clear()


def classes_of(images: Images, depth: int = -2) -> list[str]:
    """Return the class folder of each file."""
    assert isinstance(images, ImageFiles)
    return [images.path(index).parts[depth] for index in range(len(images))]


def named(dataset: ImageDataset, labels: Labels) -> list[str]:
    return [dataset.classes[label] for label in labels]


def read(name: str, root: Path) -> ImageDataset:
    return load_dataset(Data(name=name, root=str(root)))


def test_digits_have_a_fixed_test_half_of_each_class() -> None:
    dataset = load_digits()
    assert dataset.classes == tuple("0123456789")
    assert (len(dataset.train_labels), len(dataset.test.labels)) == (901, 896)
    assert dataset.fingerprint.startswith("e5ea6c9d6c68")


def test_imagenet_classes_are_sorted_wnids_and_val_is_the_test_set(tmp_path: Path) -> None:
    root = image_folders.imagenet(tmp_path / "in")
    dataset = read("imagenet", root)
    assert dataset.classes == WNIDS
    assert named(dataset, dataset.train_labels) == classes_of(dataset.train)
    assert named(dataset, dataset.test.labels) == classes_of(dataset.test.images)
    assert (len(dataset.train), len(dataset.test.images)) == (18, 6)
    assert set(classes_of(dataset.train, -3)) == {"train"}
    assert set(classes_of(dataset.test.images, -3)) == {"val"}


def test_fingerprint_depends_on_the_files_not_on_the_root(tmp_path: Path) -> None:
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


def word_names(root: Path) -> None:
    for part in ("train", "val"):
        (root / part / WNIDS[0]).rename(root / part / "tench")


def more_in_val(root: Path) -> None:
    image_folders.grow(root, {"val/n09999999": 1})


def an_empty_class(root: Path) -> None:
    (root / "train" / "n00000001").mkdir()


def no_classes(root: Path) -> None:
    for part in ("train", "val"):
        shutil.rmtree(root / part)
        (root / part).mkdir()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (flat_val, r"val/0.JPEG is not in a class folder: move it to .*val/CLASS/"),
        (no_val, r"has no folder val: data=imagenet reads train/n01440764/\*.JPEG and val/"),
        (word_names, r"train/tench is not named by a WordNet id .*: try data=folder"),
        (more_in_val, r"val/n09999999 is a class that .*train does not have"),
        (an_empty_class, r"train/n00000001 holds no image: they end in .jpg"),
        (no_classes, r"train holds no class folders: images are read from .*train/CLASS/"),
    ],
)
def test_wrong_layout_is_refused_in_one_sentence(
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
def test_wrong_name_or_root_error_says_what_to_type(data: Data, sentence: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        load_dataset(data)
    assert str(error.value).startswith(sentence)


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


def test_each_registered_dataset_has_a_config_file() -> None:
    files = Path(__file__).parents[3].glob("conf/data/*.yaml")
    assert sorted(DATASETS) == sorted(file.stem for file in files)


def test_registered_dataset_is_loaded_and_named_by_its_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots: list[Path] = []

    def load(root: Path) -> ImageDataset:
        roots.append(root)
        images, labels = np.zeros((4, 1, 2, 2), np.uint8), np.array([0, 0, 1, 1])
        return ImageDataset(("a", "b"), images, labels, {TEST: EvalSet(images, labels)}, "toy")

    spec = DatasetSpec(load, layout="toys", prompts=lambda classes: [[name] for name in classes])
    monkeypatch.setitem(DATASETS, "toy", spec)
    assert read("toy", tmp_path).fingerprint == "toy"
    assert roots == [tmp_path]
    assert class_prompts("toy", "ViT-B-16", ["a", "b"]) == [["a"], ["b"]]
    with pytest.raises(FileNotFoundError, match=r"data=toy data\.root=PATH, where PATH holds toys"):
        load_dataset(Data(name="toy"))
    with pytest.raises(
        ValueError, match=r"data\.shift=printed does not go with data=toy: try data"
    ):
        load_dataset(Data(name="toy", root=str(tmp_path), shift="printed"))
