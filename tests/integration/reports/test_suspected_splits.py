"""Folders that look like splits are never taken for classes; shared images are counted."""

import os
import shutil
from pathlib import Path

import pytest
from support.cli import clip_hparam, plan
from support.image_folders import grow

CLASSES = ("cat", "dog")
TINY = ("data=folder", "epochs=1", "batch_size=2")


def write_splits(root: Path, *parts: str, images: int = 4) -> Path:
    return grow(root, {f"{part}/{name}": images for part in parts for name in CLASSES}, ".png")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("parts", "advice"),
    [
        (("tr", "te"), "rename te to test, tr to train;"),
        (("treino", "teste"), "rename teste to test, treino to train;"),
        (("train", "tests"), "rename tests to test;"),
        (("validate", "vali", "testA"), "rename them to train, val and test;"),
        (("x_tr", "x_va", "x_te"), "rename x_te to test, x_tr to train, x_va to val;"),
    ],
)
def test_folders_that_look_like_splits_are_refused(
    parts: tuple[str, ...], advice: str, tmp_path: Path
) -> None:
    root = write_splits(tmp_path / "photos", *parts)
    done = plan("-m", *TINY, f"data.root={root}", "seeds=2", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "which look like splits: " in done.err
    assert advice in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "runs").exists()
    word = done.err.split()[-1]
    settled = clip_hparam("describe", *TINY, f"data.root={root}", word, cwd=tmp_path)
    assert settled.code == 0, settled.err
    assert f"data                folder, {len(parts)} classes:" in settled.out


def test_usual_names_can_be_classes(tmp_path: Path) -> None:
    root = grow(tmp_path / "vehicles", {"car": 4, "train": 4}, ".png")
    words = ("describe", *TINY, f"data.root={root}")
    refused = clip_hparam(*words, cwd=tmp_path)
    assert refused.code == 2
    settled = clip_hparam(*words, refused.err.split()[-1], cwd=tmp_path)
    assert settled.code == 0, settled.err
    assert "2 classes: car, train\n" in settled.out


def test_classes_are_not_for_data_sets_with_folders_of_their_own(tmp_path: Path) -> None:
    done = plan("data.folders=classes", cwd=tmp_path)
    assert done.code == 2
    assert "data.folders=classes is for data=folder" in done.err


def link(source: Path, target: Path) -> None:
    target.symlink_to(source)


def hard_link(source: Path, target: Path) -> None:
    target.mkdir()
    for folder in source.iterdir():
        (target / folder.name).mkdir()
        for image in folder.iterdir():
            os.link(image, target / folder.name / f"again_{image.name}")


def copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target)
    for image in target.rglob("*.png"):
        os.utime(image, (1, 1))


@pytest.mark.parametrize("make", [link, hard_link, copy])
def test_a_test_set_that_is_the_training_set_is_reported(make: object, tmp_path: Path) -> None:
    root = write_splits(tmp_path / "photos", "train")
    make(root / "train", root / "test")  # type: ignore[operator]
    words = (*TINY, f"data.root={root}")
    for _ in range(2):  # the second answer comes from the cache
        done = clip_hparam("describe", *words, cwd=tmp_path)
        assert "note: 8 of 8 images of the test set are training images too" in done.out
    checked = clip_hparam("data", "check", *words, cwd=tmp_path)
    assert "8 of 8 images of the test set are training images too" in checked.err


def test_some_copies_are_counted_in_each_set_and_counted_again_after_a_change(
    tmp_path: Path,
) -> None:
    root = write_splits(tmp_path / "photos", "train", "val", "test")
    shutil.copy(root / "train/cat/0.png", root / "val/cat/0.png")
    words = ("-m", *TINY, f"data.root={root}", "data.selection=0", "dry_run=true")
    done = plan(*words, cwd=tmp_path)
    assert done.code == 0, done.err
    assert "note: 1 of 8 images of the selection set are training images too" in done.err
    assert "such as cat/0.png" in done.err
    assert "images of the test set are training images" not in done.err
    shutil.copy(root / "train/dog/1.png", root / "val/cat/1.png")
    assert "note: 2 of 8 images of the selection set" in plan(*words, cwd=tmp_path).err


def test_equal_images_of_one_folder_are_reported(tmp_path: Path) -> None:
    """The test set is a fixed fifth of each class."""
    root = grow(tmp_path / "photos", {"cat": 1, "dog": 10}, ".png")
    for number in range(1, 10):
        shutil.copy(root / "cat/0.png", root / f"cat/{number}.png")
    done = clip_hparam("describe", *TINY, f"data.root={root}", cwd=tmp_path)
    assert "note: 2 of 4 images of the test set are training images too" in done.out
