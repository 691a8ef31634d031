"""Data sets load with the right images, labels and fingerprint, or fail with one sentence."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support import image_folders

from clip_hparam.config.recipe import Data
from clip_hparam.data import image_folder
from clip_hparam.data.dataset import TEST, EvalSet, ImageDataset
from clip_hparam.data.datasets import DATASETS, DatasetSpec, load_dataset
from clip_hparam.data.digits import load_digits
from clip_hparam.data.packs.load import load_imagenet
from clip_hparam.data.prompts.dataset_prompts import class_prompts

WNIDS = ("n01440764", "n01443537", "n02084071")


pytestmark = pytest.mark.usefixtures("own_cache")


def read(name: str, root: Path) -> ImageDataset:
    return load_dataset(Data(name=name, root=str(root)))


def test_digits_have_a_fixed_test_half_of_each_class() -> None:
    dataset = load_digits()
    assert dataset.classes == tuple("0123456789")
    assert (len(dataset.train_labels), len(dataset.test.labels)) == (901, 896)
    assert dataset.fingerprint.startswith("e5ea6c9d6c68")


def test_fingerprint_depends_on_the_files_not_on_the_root(tmp_path: Path) -> None:
    root = image_folders.imagenet(tmp_path / "in")
    shutil.copytree(root, tmp_path / "copy")
    before = read("imagenet", root).fingerprint
    assert read("imagenet", tmp_path / "copy").fingerprint == before
    (tmp_path / "copy" / "val" / WNIDS[0] / "0.JPEG").unlink()
    image_folder.load_imagenet_tree.cache_clear()
    load_imagenet.cache_clear()
    assert read("imagenet", tmp_path / "copy").fingerprint != before


def test_val_of_imagenet_is_the_test_set_and_selects_nothing(tmp_path: Path) -> None:
    root = image_folders.imagenet(tmp_path / "in", train=6, val=2)
    dataset = read("imagenet", root)
    assert set(dataset.eval_sets) == {TEST}
    assert (len(dataset.train_labels), len(dataset.test.labels)) == (18, 6)
    assert dataset.sources[TEST] == str(root / "val")


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
    ("given", "fits"),
    [("train", True), ("..", True), ("../../..", True), ("train/n01440764", False)],
)
def test_another_level_of_imagenet_names_the_root_that_fits(
    tmp_path: Path, given: str, fits: bool
) -> None:
    root = image_folders.imagenet(tmp_path / "ILSVRC" / "Data" / "CLS-LOC")
    with pytest.raises(FileNotFoundError) as error:
        read("imagenet", root / given)
    assert str(error.value).endswith(f"; {root} holds both: try data.root={root}") == fits


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
def test_message_about_a_wrong_name_or_root_has_the_words_to_type(
    data: Data, sentence: str
) -> None:
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        load_dataset(data)
    assert str(error.value).startswith(sentence)


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
