"""Evaluation sets in class folders: classes, masks, maps and their mistakes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.image_folders import grow, imagenet

from clip_hparam.data.dataset import EvalSet, ImageDataset, ImageFiles
from clip_hparam.data.evaluation_sets import folder_set
from clip_hparam.data.evaluation_sets.folder_set import load_folder_set
from clip_hparam.data.image_folder import load_image_folder, load_imagenet_tree

CLASSES = ("cat", "dog", "owl")


@pytest.fixture(autouse=True)
def _own_sets(own_cache: None) -> Iterator[None]:
    yield
    folder_set._load.cache_clear()


@pytest.fixture
def dataset(tmp_path: Path) -> ImageDataset:
    return load_image_folder(grow(tmp_path / "train", dict.fromkeys(CLASSES, 3)))


def described(folder: Path, text: str) -> str:
    (folder / "set.yaml").write_text(text)
    return str(folder / "set.yaml")


def names_of_images(one: EvalSet) -> list[str]:
    """Return the name of the class of each image."""
    return [one.class_names[label] for label in one.labels]


def test_a_folder_of_some_classes_allows_these_only(dataset: ImageDataset, tmp_path: Path) -> None:
    root = grow(tmp_path / "other", {"dog": 2, "cat": 1})
    one = load_folder_set("mine", str(root), dataset)
    assert names_of_images(one) == ["cat", "dog", "dog"]
    assert one.class_groups is not None
    assert one.class_groups.tolist() == [0, 1, -1]
    assert len(one.fingerprint) == 64


def test_all_classes_are_allowed_on_demand(dataset: ImageDataset, tmp_path: Path) -> None:
    grow(tmp_path / "other", {"dog": 1})
    contained = load_folder_set("mine", str(tmp_path / "other"), dataset)
    one = load_folder_set("mine", described(tmp_path, "root: other\nclasses: all\n"), dataset)
    assert one.class_groups is not None
    assert one.class_groups.tolist() == [1, 0, 2]
    assert one.class_names == ("dog", "cat", "owl")
    assert one.fingerprint != contained.fingerprint


def test_a_class_map_joins_classes_and_leaves_out_folders(
    dataset: ImageDataset, tmp_path: Path
) -> None:
    grow(tmp_path / "other", {"pets": 2, "birds": 1, "cars": 1})
    (tmp_path / "map.csv").write_text("pets,cat;dog\nbirds,owl\n")
    path = described(tmp_path, "root: other\nclass_map: map.csv\nborder: 2\n")
    one = load_folder_set("mine", path, dataset)
    assert names_of_images(one) == ["birds", "pets", "pets"]
    assert one.class_groups is not None
    assert one.class_groups.tolist() == [1, 1, 0]
    assert isinstance(one.images, ImageFiles)
    assert one.images.border == 2


def test_a_zero_shot_set_has_its_own_classes(dataset: ImageDataset, tmp_path: Path) -> None:
    grow(tmp_path / "other", {"tram": 1, "bus": 1})
    one = load_folder_set("mine", described(tmp_path, "root: other\nzero_shot: true\n"), dataset)
    assert (one.zero_shot, one.class_names, one.class_groups) == (True, ("bus", "tram"), None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("root: other\nclass_maps: x\n", "unknown key class_maps: did you mean class_map"),
        ("class_map: map.csv\n", "root must name the folder of the images"),
        ("root: nowhere\n", "root must name the folder of the images"),
        ("root: other\nclasses: some\n", "classes is contained or all"),
        ("root: other\nborder: -1\n", "border a number of px"),
        ("root: other\nzero_shot: true\nclass_map: map.csv\n", "goes without a class_map"),
        ("- other\n", "holds no keys"),
        ("root: [\n", "is not a YAML file"),
        ("root: other\n", "birds is not a class of the images trained on"),
        ("root: other\nclass_map: wrong.csv\n", "gives pets the class pet, which"),
        ("root: other\nclass_map: twice.csv\n", "birds and pets both count as class cat"),
        ("root: other\nclass_map: none.csv\n", "none of the 2 folders"),
    ],
)
def test_a_wrong_description_is_refused(
    dataset: ImageDataset, tmp_path: Path, text: str, message: str
) -> None:
    grow(tmp_path / "other", {"pets": 1, "birds": 1})
    (tmp_path / "map.csv").write_text("pets,cat\n")
    (tmp_path / "wrong.csv").write_text("pets,pet\n")
    (tmp_path / "twice.csv").write_text("pets,cat\nbirds,cat\n")
    (tmp_path / "none.csv").write_text("cars,cat\n")
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load_folder_set("mine", described(tmp_path, text), dataset)


def test_a_path_to_nothing_is_named(dataset: ImageDataset) -> None:
    with pytest.raises(FileNotFoundError, match="eval_sets=mine:/nowhere is neither a folder nor"):
        load_folder_set("mine", "/nowhere", dataset)


@pytest.mark.parametrize("name", ["imagenet_r", "imagenet_a", "imagenet_sketch"])
def test_classes_of_imagenet_that_are_not_trained_on_are_left_out(
    tmp_path: Path, name: str
) -> None:
    dataset = load_imagenet_tree(imagenet(tmp_path / "imagenet"))
    root = grow(tmp_path / "r", {"n01443537": 2, "n15075141": 1})
    one = load_folder_set(name, str(root), dataset)
    assert names_of_images(one) == ["n01443537"] * 2
    assert one.class_groups is not None
    assert np.flatnonzero(one.class_groups >= 0).tolist() == [1]


def test_folders_of_imagenet_v2_are_class_indices(tmp_path: Path) -> None:
    dataset = load_imagenet_tree(imagenet(tmp_path / "imagenet"))
    root = grow(tmp_path / "v2", {"0": 1, "1": 2, "999": 1})
    one = load_folder_set("imagenet_v2", str(root), dataset)
    assert dataset.classes[:2] == ("n01440764", "n01443537")
    assert one.class_groups is not None
    assert one.class_groups.tolist() == [0, 1, -1]
    assert one.labels.tolist() == [0, 1, 1]
