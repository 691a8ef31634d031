"""A root that is one level too high is refused with the root that fits."""

import shlex
from pathlib import Path

import pytest
from support.cli import plan
from support.image_folders import grow

from clip_hparam.config.recipe import Data
from clip_hparam.config.text.override_words import format_override
from clip_hparam.data.datasets import load_dataset

TINY = ("-m", "data=folder", "epochs=1", "batch_size=2", "seeds=2")


@pytest.mark.parametrize(
    ("folders", "sentence"),
    [
        (("photos/a", "photos/b"), "holds one class, photos, .* try data.root=ROOT/photos"),
        (("x/y/a", "x/y/b", "x/y/c"), "holds one class, x, .* try data.root=ROOT/x/y"),
        (("photos/train/a", "photos/test/a"), "splits, not parts of a class.*=ROOT/photos"),
        (("seg_train/p/a", "seg_train/p/b", "seg_test/p/a"), "p up into ROOT/seg_train$"),
        (("train/a", "train/b", "test"), "or move ROOT/test elsewhere if the classes of its im"),
        (("a",), "holds one class, a, .* put the images of another class into ROOT/CLASS/"),
        (("train/a", "test/a"), "ROOT/train holds one class, a, and a classifier needs two"),
        (
            ("",),
            "0.png is not in a class folder: .*, or, if data is a class, try data.root=PARENT$",
        ),
        (("train/p/a", "train/p/b", "test/p/a"), "move the folders in ROOT/train/p up into"),
    ],
)
def test_single_class_is_refused(folders: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    root = grow(tmp_path / "data", dict.fromkeys(folders, 4), ".png")
    pattern = sentence.replace("ROOT", str(root)).replace("PARENT", str(tmp_path))
    with pytest.raises(ValueError, match=pattern):
        load_dataset(Data(name="folder", root=str(root)))


def test_suggested_root_works(tmp_path: Path) -> None:
    root = grow(tmp_path / "my data, (1)", {"photos/a": 6, "photos/b": 6}, ".png")
    done = plan(*TINY, format_override("data.root", str(root)), cwd=tmp_path)
    assert done.code == 2
    assert not (tmp_path / "runs").exists()
    (suggested,) = shlex.split(done.err.partition(" try ")[2])
    done = plan(*TINY, suggested, "dry_run=true", cwd=tmp_path)
    assert done.code == 0, done.err
    assert f"training set: 8 images of {root}/photos" in done.err


@pytest.mark.parametrize("names", [("2023", "2024"), ("learn", "exam"), ("one", "two", "three")])
def test_classes_that_share_all_their_folders_are_refused(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    root = grow(tmp_path / "data", {f"{name}/{c}": 4 for name in names for c in ("cat", "dog")})
    words = (*TINY, f"data.root={root}", "dry_run=true")
    done = plan(*words, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert (
        f"holds {', '.join(sorted(names))}, and all of them hold the folders cat, dog" in done.err
    )
    assert done.err.count("\n") == 1
    settled = plan(*words, done.err.split()[-1], cwd=tmp_path)
    assert settled.code == 0, settled.err
    assert f"{len(names)} classes" in settled.err
    assert "all of them hold the folders cat, dog, which are read as parts" in settled.err
