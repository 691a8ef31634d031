"""Numbers are named by the pack, or by a file in the folder of the packs."""

from pathlib import Path

import pytest

from clip_hparam.data.packs.class_index import named_by_index


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("classes.txt", "cat\ndog\n"),
        ("class_index.json", '["cat", "dog"]'),
        ("imagenet_class_index.json", '{"0": ["cat", "a cat"], "1": ["dog", "a dog"]}'),
    ],
)
def test_a_file_names_the_numbers(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    assert named_by_index(tmp_path, {"0", "1"}, ()) == ("cat", "dog")
    assert named_by_index(tmp_path, {"cat"}, ()) is None
    assert named_by_index(tmp_path, {"1"}, ("x", "y")) == ("x", "y")
    with pytest.raises(ValueError, match="names 2 classes, and an image has the label 2"):
        named_by_index(tmp_path, {"0", "2"}, ())


def test_without_a_file_labels_are_names(tmp_path: Path) -> None:
    assert named_by_index(tmp_path, {"0", "2"}, ()) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "names no classes"),
        ("cat\n\ndog", "names no classes"),
        ("cat\ncat", "names cat twice"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "classes.txt").write_text(text)
    with pytest.raises(ValueError, match=problem):
        named_by_index(tmp_path, {"0"}, ())


@pytest.mark.parametrize("text", ['{"1": "cat"}', "3", "[1]", "{", '["a", ""]'])
def test_other_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "class_index.json").write_text(text)
    with pytest.raises(ValueError, match="names no classes: write a name a line"):
        named_by_index(tmp_path, {"0"}, ())
