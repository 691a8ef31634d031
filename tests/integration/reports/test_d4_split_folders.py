"""Split folders are never classes, however their names are written."""

import json
import re
from pathlib import Path

import pytest
from support.cli import clip_hparam, plan, records, sweep
from support.image_folders import grow

from clip_hparam.config.recipe import Data
from clip_hparam.data.datasets import load_dataset

CLASSES = ("cat", "dog")
TINY = ("data=folder", "epochs=1", "batch_size=2")


def write_splits(root: Path, *parts: str, images: int = 4) -> Path:
    return grow(root, {f"{part}/{name}": images for part in parts for name in CLASSES}, ".png")


@pytest.mark.parametrize(
    ("train", "test"),
    [
        *(("Train", "Test"), ("training", "validation"), ("Train ", "VAL")),
        *(("training_set", "test_set"), ("seg_train", "seg_test")),
    ],
)
def test_split_folders_are_recognised(train: str, test: str, tmp_path: Path) -> None:
    root = write_splits(tmp_path / "photos", train, test)
    done = clip_hparam("describe", *TINY, f"data.root={root}", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "data                folder, 2 classes: cat, dog\n" in done.out
    assert f"training set        6 images of {root / train}\n" in done.out
    assert f"selection set       2 images of {root / train}, drawn by the seed" in done.out
    assert f"test set            8 images of {root / test}\n" in done.out


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (("train/cat", "train/dog", "eval/cat", "eval/dog"), "eval may be a selection set or a te"),
        (("train/cat", "train/dog", "Train/cat"), "'Train' and 'train', and both are named like"),
        (("test/cat", "test/dog"), "holds test and no training set"),
        (("cat", "dog", "test"), "test is named like a split, and"),
        (("cat", "dog", "Testing/cat"), "Testing is named like a split, and"),
        (("bicycle", "car", "train"), "train is named like a split, and"),
        (("train/train/cat", "train/train/dog", "train/val/cat"), "train holds train, val, which"),
        (("a/train/cat", "a/test/cat", "b/train/cat"), "a holds test, train, which are splits"),
    ],
)
def test_unclear_split_folders_are_refused(
    parts: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    root = grow(tmp_path / "photos", dict.fromkeys(parts, 4), ".png")
    with pytest.raises(ValueError, match=re.escape(sentence)) as error:
        load_dataset(Data(name="folder", root=str(root)))
    assert "\n" not in str(error.value)


def test_refused_folders_start_nothing(tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {"cat": 4, "dog": 4, "Test/cat": 4}, ".png")
    done = plan("-m", *TINY, f"data.root={root}", "seeds=2", cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith(f"{root}/Test is named like a split, and {root} holds other folders")
    assert not (tmp_path / "runs").exists()


def test_other_folders_next_to_the_splits_are_named(tmp_path: Path) -> None:
    root = write_splits(tmp_path / "photos", "train", "test")
    grow(root, {"extra/cat": 2, "": 1})
    done = clip_hparam("describe", *TINY, f"data.root={root}", cwd=tmp_path)
    assert (
        f"note: not used in {root}: folders extra and images that lie directly there\n" in done.out
    )


def test_trial_is_trained_on_the_classes_and_not_on_the_splits(tmp_path: Path) -> None:
    root = write_splits(tmp_path / "photos", "Train", "Test")
    done = sweep(*TINY, f"data.root={root}", cwd=tmp_path)
    assert done.code == 0, done.err
    (record,) = records(tmp_path)
    result = json.loads((record.folder / "result.json").read_text())
    assert result["images"] == {"classes": 2, "train": 6, "selection": 2, "test": 8, "skipped": 0}
    log = (record.folder / "log.txt").read_text()
    for line in (
        "data: folder, 2 classes: cat, dog",
        f"training set: 6 images of {root / 'Train'}",
        f"test set: 8 images of {root / 'Test'}",
    ):
        assert line in log
