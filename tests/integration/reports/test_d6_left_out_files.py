"""Files that are not read are counted, and names that look equal are one class."""

import unicodedata
from pathlib import Path

import pytest
from support.cli import describe, plan
from support.image_folders import grow

TINY = ("data=folder", "epochs=1", "batch_size=2")
NFC, NFD = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))


def described(root: Path, *words: str) -> str:
    return describe(*TINY, f"data.root={root}", *words, cwd=root.parent)


def refusal(root: Path, *words: str) -> str:
    done = plan("-m", *TINY, f"data.root={root}", *words, "seeds=2", cwd=root.parent)
    assert done.code == 2
    assert not (root.parent / "runs").exists()
    return done.err


def test_left_out_files_are_counted_by_suffix(tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {"a": 6, "b": 6}, ".png")
    for name in ("1.heic", "2.HEIC", "3.gif", "notes", ".hidden.heic"):
        (root / "a" / name).write_bytes(b"x")
    (root / "b" / "4.heic").write_bytes(b"x")
    line = "note: not used: 5 without the suffix of an image: 3 .heic, 1 (no suffix), 1 .gif"
    assert line in described(root)
    assert line in described(root)  # from the cached index


def test_message_about_a_class_without_images_lists_its_files(tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {"a": 6, "b": 6}, ".png")
    (root / "c").mkdir()
    (root / "c" / "1.heic").write_bytes(b"x")
    assert "c holds no image: they end in .jpg" in refusal(root)
    assert "and its files in .heic; convert these, or remove the folder" in refusal(root)


def test_too_small_class_is_named(tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {"ant": 8, "bee": 4}, ".png")
    (root / "bee" / "1.heic").write_bytes(b"x")
    message = refusal(root, "data.shots=5")
    assert "; not used: 1 without the suffix of an image: 1 .heic" in message
    assert "ask for more than the 3 training images of class bee: try a smaller" in message


def test_forms_of_a_letter_are_one_class(tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {f"train/{NFC}": 4, "train/tea": 4, f"test/{NFD}": 2}, ".png")
    text = described(root)
    assert f"folder, 2 classes: {NFC}, tea\n" in text
    assert "test set            2 images" in text
    assert "note: " + str(root / "test") + " lacks 1 of 2 classes: tea\n" in text


@pytest.mark.parametrize("part", ["", "train/"])
def test_two_forms_in_one_folder_are_refused_with_their_code_points(
    part: str, tmp_path: Path
) -> None:
    root = grow(tmp_path / "photos", {f"{part}{name}": 4 for name in (NFC, NFD, "tea")}, ".png")
    message = refusal(root)
    assert r"names look the same, 'cafe\u0301' and 'caf\xe9': give one" in message


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Cat", "upper and lower case count, did you mean cat?"),
        ("cat ", "'cat ' is a class that"),
        ("cow", "is a class that"),
    ],
)
def test_class_that_only_the_test_set_has_is_refused(name: str, hint: str, tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {"train/cat": 4, "train/dog": 4, f"test/{name}": 2}, ".png")
    assert hint in refusal(root)


def test_upper_and_lower_case_are_two_classes(tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {"a": 4, "A": 4}, ".png")
    text = described(root)
    assert "folder, 2 classes: A, a\n" in text
    assert "note: classes that differ only in upper and lower case: A and a\n" in text


@pytest.mark.parametrize(("link", "target"), [("a/self", "."), ("a/top", "../..")])
def test_link_to_a_folder_above_is_refused(link: str, target: str, tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {"a": 4, "b": 4}, ".png")
    (root / link).symlink_to(target, target_is_directory=True)
    message = refusal(root)
    assert f"{root / link} is a link to a folder that holds it" in message
    assert len(message.splitlines()) == 1
    assert len(message) < 400


def test_links_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {"a": 4, "b": 4}, ".png")
    (root / "a" / "to_b").symlink_to(root / "b")
    (root / "b" / "to_a").symlink_to(root / "a")
    assert "is a link to a folder that holds it" in refusal(root)
    (root / "b" / "to_a").unlink()
    (root / "c").symlink_to("c")
    assert "c is a link whose target is missing" in refusal(root)


def test_link_to_a_missing_image_is_unreadable(tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {"train/a": 4, "train/b": 4, "test/a": 2}, ".png")
    (root / "train" / "a" / "9.png").symlink_to("/nowhere/9.png")
    message = refusal(root)
    assert message.startswith("1 of 11 images cannot be read")
    assert f"{root}/train/a/9.png cannot be read as an image (No such file" in message
    assert "6 images of" in described(root, "data.on_error=skip")
