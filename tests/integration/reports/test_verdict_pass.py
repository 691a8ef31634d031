"""Folders with other files and classes, and searches with further levels, by the command line."""

import json
from pathlib import Path

import pytest
from support.cli import describe, plan, sweep
from support.image_folders import grow

TRAIN = ("data=folder", "epochs=1", "batch_size=2", "data.selection=1", "freeze=backbone")
SEARCH = (
    *("-m", "pool=cls,patch_mean", "lr=interval(1e-3,1e-2)", "hydra.sweeper.n_trials=1"),
    *("hydra.sweeper.pruner=none", "hydra/launcher=inline", "workers=1", "seeds=1"),
    *("epochs=1", "data.epoch_images=25", "data.shots=3", "data.selection=3", "freeze=backbone"),
)


def described(root: Path) -> str:
    return describe(*TRAIN, f"data.root={root}", cwd=root.parent)


def test_files_of_editors_and_systems_are_no_images(tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {"a": 6, "b": 6}, ".JPG")
    for name in (".DS_Store", "a/._0.jpg", "a/Thumbs.db", "b/.DS_Store"):
        (root / name).write_bytes(b"x")
    grow(root, {".ipynb_checkpoints": 2, "a/.ipynb_checkpoints": 2})
    text = described(root)
    assert "folder, 2 classes: a, b\n" in text
    assert "1 .db" in text
    assert "._0" not in text


def test_class_missing_in_the_test_set_shifts_no_label(tmp_path: Path) -> None:
    parts = {"train/a": 3, "train/b": 3, "train/c": 3, "test/b": 2, "test/c": 2}
    text = described(grow(tmp_path / "photos", parts))
    assert "folder, 3 classes: a, b, c\n" in text
    assert "lacks 1 of 3 classes: a" in text


@pytest.mark.parametrize("classes", [2, 3])
def test_top_5_of_fewer_than_five_classes_is_all(classes: int, tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", dict.fromkeys("abc"[:classes], 6))
    done = sweep(*TRAIN, f"data.root={root}", cwd=tmp_path)
    assert done.code == 0, done.err
    (path,) = tmp_path.glob("runs/*/result.json")
    assert json.loads(path.read_text())["metrics"]["test_acc5.raw.last"] == 100


def test_further_levels_make_another_search_or_one_sentence(tmp_path: Path) -> None:
    assert sweep(*SEARCH, cwd=tmp_path).code == 0
    more = [word.replace("cls,patch_mean", "cls,patch_mean,clip") for word in SEARCH]
    assert sweep(*more, cwd=tmp_path).code == 0
    assert len(list(tmp_path.glob("runs/.sweeps/*.json"))) == 2
    named = "hydra.sweeper.study_name=mine"
    assert sweep(*SEARCH, named, cwd=tmp_path).code == 0
    again = plan(*more, named, cwd=tmp_path)
    assert "Traceback" not in again.out + again.err
    assert again.code in (0, 2)
    assert again.code == 0 or again.err.count("\n") == 1


def test_percent_sign_in_the_url_of_a_storage(tmp_path: Path) -> None:
    (tmp_path / "my studies").mkdir()
    url = f"hydra.sweeper.storage=sqlite:///{tmp_path}/my%20studies/points.db"
    done = sweep(*SEARCH, url, cwd=tmp_path)
    assert done.code == 0, done.err
    assert (tmp_path / "my studies" / "points.db").exists()
