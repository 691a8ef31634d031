"""Report D5: a root that is one level too high is refused with the root that fits."""

import re
from pathlib import Path

import pytest
from support.cli import plan
from support.image_folders import grow

TINY = ("-m", "data=folder", "epochs=1", "batch_size=2", "seeds=2")


@pytest.mark.parametrize(
    ("folders", "sentence"),
    [
        (("photos/a", "photos/b"), "holds one class, photos, .* try data.root=ROOT/photos"),
        (("x/y/a", "x/y/b", "x/y/c"), "holds one class, x, .* try data.root=ROOT/x/y"),
        (("photos/train/a", "photos/test/a"), "splits and no part of a class.*=ROOT/photos"),
        (("a",), "holds one class, a, .* put the images of another class into ROOT/CLASS/"),
        (("train/a", "test/a"), "ROOT/train holds one class, a, and a classifier needs two"),
        (("train/p/a", "train/p/b", "test/p/a"), "move the folders in ROOT/train/p up into"),
    ],
)
def test_single_class_is_refused(folders: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    root = grow(tmp_path / "data", dict.fromkeys(folders, 4), ".png")
    done = plan(*TINY, f"data.root={root}", cwd=tmp_path)
    assert done.code == 2
    assert re.search(sentence.replace("ROOT", str(root)), done.err), done.err
    assert not (tmp_path / "runs").exists()


def test_suggested_root_works(tmp_path: Path) -> None:
    root = grow(tmp_path / "my data", {"photos/a": 6, "photos/b": 6}, ".png")
    done = plan(*TINY, f"data.root={root}", cwd=tmp_path)
    assert f"try 'data.root={root}/photos'" in done.err
    assert plan(*TINY, f"data.root={root}/photos", "dry_run=true", cwd=tmp_path).code == 0


def test_classes_that_share_all_their_folders_are_told(tmp_path: Path) -> None:
    root = grow(
        tmp_path / "data", {f"{y}/{c}": 4 for y in ("2023", "2024") for c in ("cat", "dog")}
    )
    done = plan(*TINY, f"data.root={root}", "dry_run=true", cwd=tmp_path)
    assert done.code == 0
    assert "the classes are the folders in" in done.err
    assert "(2023, 2024); all of them hold the folders cat, dog" in done.err
