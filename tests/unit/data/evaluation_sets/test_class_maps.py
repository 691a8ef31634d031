"""Class maps of files, of ImageNet-V2 and of ObjectNet."""

import json
from pathlib import Path

import pytest

from clip_hparam.data.evaluation_sets.class_maps import (
    imagenet_classes,
    imagenet_index_map,
    objectnet_map,
    read_class_map,
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("map.csv", "folder,class\nchair,a; b\n# comment\nlamp,c\n"),
        ("map.csv", 'chair,a;b\n"lamp",c\n'),
        ("map.json", '{"chair": ["a", "b"], "lamp": "c"}'),
    ],
)
def test_a_folder_counts_as_one_or_several_classes(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_class_map(tmp_path / name) == {"chair": ("a", "b"), "lamp": ("c",)}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("map.csv", "chair\n", "cannot be read: it holds a line FOLDER,CLASS"),
        ("map.csv", "chair,a\nchair,b\n", "names the folder chair twice"),
        ("map.csv", "", "is empty"),
        ("map.json", "[1]", "cannot be read"),
        ("map.json", '{"chair": 3}', "cannot be read"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_class_map(tmp_path / name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.csv is not a file"):
        read_class_map(tmp_path / "none.csv")


def test_folders_of_imagenet_v2_are_indices_of_sorted_wordnet_ids() -> None:
    names = imagenet_classes()
    assert len(names) == 1000
    assert list(names) == sorted(names)
    assert imagenet_index_map()["0"] == ("n01440764",)
    assert imagenet_index_map()["999"] == ("n15075141",)


def objectnet(folder: Path) -> Path:
    """Write mappings of two classes; the lines of the labels are in another order than ImageNet."""
    folder.mkdir()
    files = {
        "folder_to_objectnet_label.json": {"air_freshener": "Air freshener", "chair": "Chair"},
        "objectnet_to_imagenet_1k.json": {"Chair": "folding chair; rocking chair"},
        "pytorch_to_imagenet_2012_id.json": {"559": 1, "765": 0},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    (folder / "imagenet_to_label_2012_v2").write_text("rocking chair\nfolding chair\n")
    return folder


def test_objectnet_maps_a_folder_to_the_classes_of_its_label(tmp_path: Path) -> None:
    names = imagenet_classes()
    mapping = objectnet_map(objectnet(tmp_path / "mappings"))
    assert mapping == {"chair": (names[559], names[765])}


def test_objectnet_without_or_with_other_mappings_is_refused(tmp_path: Path) -> None:
    mappings = objectnet(tmp_path / "mappings")
    (mappings / "imagenet_to_label_2012_v2").write_text("table\n")
    with pytest.raises(ValueError, match="do not fit each other"):
        objectnet_map(mappings)
    (mappings / "objectnet_to_imagenet_1k.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"objectnet_to_imagenet_1k.json is missing"):
        objectnet_map(mappings)
