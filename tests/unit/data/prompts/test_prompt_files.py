"""Files of names and templates are read as text or JSON; mistakes are one sentence."""

from pathlib import Path

import pytest

from clip_hparam.data.prompts.prompt_files import (
    names_in_order,
    read_class_names,
    read_templates,
)


def written(tmp_path: Path, name: str, text: str) -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("n.txt", "# of birds\ncat\n\n a dog \n", ["cat", "a dog"]),
        ("n.txt", "n01\tcat\nn02\ta dog\n", {"n01": "cat", "n02": "a dog"}),
        ("n.json", '["cat", "dog"]', ["cat", "dog"]),
        ("n.json", '{"n01": "cat"}', {"n01": "cat"}),
        ("n.json", '{"0": ["n01", "great_cat"]}', {"n01": "great cat"}),
    ],
)
def test_names_are_a_list_or_by_class(tmp_path: Path, name: str, text: str, found: object) -> None:
    assert read_class_names(written(tmp_path, name, text)) == found


def test_templates_are_lines_or_a_list(tmp_path: Path) -> None:
    assert read_templates(written(tmp_path, "t.txt", "a {}.\n# no\nthe {}\n")) == [
        "a {}.",
        "the {}",
    ]
    assert read_templates(written(tmp_path, "t.json", '["a {}"]')) == ["a {}"]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("n.txt", "", "is empty or has another form: write a class name a line"),
        ("n.txt", "a\tx\na\ty", "names a class twice"),
        ("n.json", "[", "is not JSON"),
        ("n.json", "3", "is empty or has another form"),
        ("n.json", '["a", " "]', "entry 2 is empty"),
        ("n.json", '{"a": 3}', "entry 1 is not text"),
    ],
)
def test_other_names_are_refused(tmp_path: Path, name: str, text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as error:
        read_class_names(written(tmp_path, name, text))
    assert str(error.value).startswith("data.class_names=")


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("t.txt", "# only this\n", "is empty"),
        ("t.txt", "a photo", r"'a photo' does not hold \{\}, where the class name is put"),
        ("t.txt", "a {}\nb {}\na {}", r"holds 'a \{\}' twice: keep one line"),
        ("t.json", '{"a": "{}"}', "is empty or has another form"),
        ("t.json", "[1]", "entry 1 is not text"),
    ],
)
def test_other_templates_are_refused(tmp_path: Path, name: str, text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as error:
        read_templates(written(tmp_path, name, text))
    assert str(error.value).startswith("data.templates=")


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"data.templates=x.txt is not a file: name a file"):
        read_templates("x.txt")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ValueError, match=r"is not text in UTF-8"):
        read_class_names(str(tmp_path / "b.txt"))


def test_names_go_to_classes_by_order_or_by_class() -> None:
    every, kept = ("a", "b", "c"), ("a", "c")
    assert names_in_order("f", ["x", "y", "z"], every, every) == ["x", "y", "z"]
    assert names_in_order("f", ["x", "y", "z"], kept, every) == ["x", "z"]
    assert names_in_order("f", ["x", "z"], kept, every) == ["x", "z"]
    assert names_in_order("f", {"c": "z", "a": "x", "b": "y"}, kept, every) == ["x", "z"]
    assert names_in_order("f", {"cafe\u0301": "x"}, ("caf\u00e9",), ("caf\u00e9",)) == ["x"]
    problem = (
        "data.class_names=f holds 1 names, and the data set has 3 classes, of which 2 are kept"
    )
    with pytest.raises(ValueError, match=problem):
        names_in_order("f", ["x"], kept, every)
    with pytest.raises(ValueError, match="has no name for c: add it"):
        names_in_order("f", {"a": "x"}, kept, every)
