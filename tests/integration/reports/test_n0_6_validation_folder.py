"""The validation folder selects the epoch, and the test folder only tests."""

import json
from pathlib import Path

import pytest
from support.cli import clip_hparam, describe, plan, records, sweep
from support.image_folders import grow

TINY = ("data=folder", "epochs=1", "batch_size=2")


def write_splits(root: Path, **images: int) -> Path:
    folders = {f"{part}/{name}": n for part, n in images.items() for name in ("a", "b")}
    return grow(root, folders, ".png")


def described(root: Path, *words: str) -> str:
    return describe(*TINY, f"data.root={root}", *words, cwd=root.parent)


@pytest.mark.parametrize("name", ["val", "valid", "Validation", "dev"])
def test_validation_folder_is_the_selection_set(name: str, tmp_path: Path) -> None:
    root = write_splits(tmp_path / "photos", train=8, **{name: 3}, test=5)
    text = described(root)
    assert f"training set        16 images of {root}/train\n" in text
    assert f"selection set       6 images of {root}/{name}\n" in text
    assert f"test set            10 images of {root}/test\n" in text
    done = sweep(*TINY, f"data.root={root}", cwd=tmp_path)
    assert done.code == 0, done.err
    (record,) = records(tmp_path)
    assert (
        json.loads((record.folder / "recipe.json").read_text())["recipe"]["data"]["selection"] == 0
    )
    counts = json.loads((record.folder / "result.json").read_text())["images"]
    assert counts == {"classes": 2, "train": 16, "selection": 6, "test": 10, "skipped": 0}


def test_given_share_is_drawn_from_train_and_val_is_named_as_unused(tmp_path: Path) -> None:
    root = write_splits(tmp_path / "photos", train=8, val=3, test=5)
    text = described(root, "data.selection=0.25")
    assert "selection set       4 images" in text
    assert f"note: {root}/val is not used: data.selection=0.25 draws the selection set" in text


def test_validation_folder_without_test_folder_is_the_test_set_and_reported(tmp_path: Path) -> None:
    root = write_splits(tmp_path / "photos", train=8, val=3)
    said = f"{root}/val is the test set, because {root} holds no folder test; the selection set is"
    assert said in described(root)
    done = plan("-m", *TINY, f"data.root={root}", "dry_run=true", cwd=tmp_path)
    assert said in done.err
    assert "data: folder, 2 classes: a, b\ntraining set: 14 images" in done.err
    done = sweep(*TINY, f"data.root={root}", cwd=tmp_path)
    assert said in done.out
    assert said in (records(tmp_path)[0].folder / "log.txt").read_text()


@pytest.mark.parametrize("parts", [{"train": 8, "test": 5}, {"train": 8, "val": 5}])
def test_selection_folder_that_is_missing_is_refused(parts: dict[str, int], tmp_path: Path) -> None:
    root = write_splits(tmp_path / "photos", **parts)
    done = plan("-m", *TINY, f"data.root={root}", "data.selection=0", "seeds=2", cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith("data.selection=0 asks for a selection set of its own")


def test_class_that_only_the_selection_set_has_is_refused(tmp_path: Path) -> None:
    root = write_splits(tmp_path / "photos", train=8, val=3, test=5)
    grow(root, {"val/c": 2}, ".png")
    done = plan("-m", *TINY, f"data.root={root}", "seeds=2", cwd=tmp_path)
    assert done.code == 2
    assert f"{root}/val/c is a class that {root}/train does not have: choose from a, b" in done.err


def test_shift_folder_that_is_not_read_is_noted(tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {"cat": 10, "dog": 10}, ".png")
    words = ("data=folder", "batch_size=2", "epochs=1", f"data.root={root}")
    done = clip_hparam("describe", *words, f"data.shift_root={root}", cwd=tmp_path)
    assert done.code == 0, done.err
    assert f"note: data.shift_root={root} is not used" in done.out


def test_number_of_selection_images_is_whole(tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {"cat": 10, "dog": 10}, ".png")
    done = clip_hparam(
        "describe", "data=folder", f"data.root={root}", "data.selection=1.5", cwd=tmp_path
    )
    assert done.code == 2
    assert "try data.selection=1" in done.err
