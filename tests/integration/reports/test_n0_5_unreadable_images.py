"""All unreadable images are reported at once, before anything trains."""

import json
import os
import re
from pathlib import Path

import pytest
from support.cli import clip_hparam, plan, records, sweep
from support.image_folders import grow, imagenet

from clip_hparam.data.folders import image_check

TINY = ("data=folder", "epochs=1", "batch_size=2")
SETS = {f"{part}/{name}": 4 for part in ("train", "val", "test") for name in ("a", "b")}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return grow(tmp_path / "photos", SETS, ".png")


def cut(path: Path) -> str:
    """Cut a file in half; return its path."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return str(path)


def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list that grows by each file that is decoded."""
    seen: list[Path] = []
    read = image_check.read_image
    monkeypatch.setattr(
        image_check, "read_image", lambda path, *rest: (seen.append(path), read(path, *rest))
    )
    return seen


@pytest.mark.parametrize("words", [(), ("-m", "lr=1e-3,2e-3", "seeds=2")])
def test_all_unreadable_images_are_listed_and_nothing_trains(
    words: tuple[str, ...], photos: Path, tmp_path: Path
) -> None:
    bad = [cut(photos / name) for name in ("train/a/0.png", "val/b/1.png", "test/b/3.png")]
    done = sweep(*words, *TINY, f"data.root={photos}", cwd=tmp_path)
    assert done.code == 2
    head, *lines = done.err.splitlines()
    assert head.startswith("3 of 24 images cannot be read")
    assert sorted(line.partition(" cannot be read as an image (")[0] for line in lines) == sorted(
        bad
    )
    assert not (tmp_path / "runs").exists()


def test_describe_shows_the_counts_and_the_unreadable_images(photos: Path, tmp_path: Path) -> None:
    bad = cut(photos / "train" / "a" / "0.png")
    done = clip_hparam("describe", *TINY, f"data.root={photos}", cwd=tmp_path)
    assert done.code == 2
    assert [line.split("  ")[0] for line in done.out.splitlines()] == [
        *("data", "training set", "selection set", "test set")
    ]
    assert done.err.splitlines()[1].startswith(f"{bad} cannot be read as an image")


def test_describe_shows_the_counts_where_an_evaluation_set_is_broken(
    photos: Path, tmp_path: Path
) -> None:
    bad = cut(grow(tmp_path / "mine", {"a": 2}, ".png") / "a" / "0.png")
    words = (*TINY, f"data.root={photos}", f"eval_sets=[mine:{tmp_path / 'mine'}]")
    done = clip_hparam("describe", *words, cwd=tmp_path)
    assert done.code == 2
    assert [line.split("  ")[0] for line in done.out.splitlines()] == [
        *("data", "training set", "selection set", "test set")
    ]
    assert done.err.startswith("1 of 2 images of eval_sets mine cannot be read")
    assert bad in done.err
    Path(bad).unlink()
    done = clip_hparam("describe", *words, cwd=tmp_path)
    assert "\neval_sets mine      1 image of 1 class\n" in done.out


def test_search_does_not_start_with_an_unreadable_image(photos: Path, tmp_path: Path) -> None:
    bad = cut(photos / "test" / "a" / "0.png")
    words = ("-m", "sweeps=search", "hydra.sweeper.n_trials=2", *TINY, f"data.root={photos}")
    done = sweep(*words, cwd=tmp_path)
    assert done.code == 2
    assert bad in done.err
    assert not (tmp_path / "runs").exists()


def test_check_lists_all_files_and_a_second_plan_decodes_none(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = decoded(monkeypatch)
    words = ("data", "check", *TINY, f"data.root={photos}")
    done = clip_hparam(*words, cwd=tmp_path)
    assert (done.code, done.out.splitlines()[-1]) == (0, "all 24 images can be read")
    assert "train, images of a class: 4 of each\n" in done.out
    assert "sizes: shorter side" in done.out
    assert re.search(r"^fingerprint: [0-9a-f]{64}$", done.out, re.MULTILINE)
    assert len(seen) == 24
    assert plan("-m", *TINY, f"data.root={photos}", "dry_run=true", cwd=tmp_path).code == 0
    assert len(seen) == 24
    bad = cut(photos / "train" / "a" / "1.png")
    done = clip_hparam(*words, "--json", cwd=tmp_path)
    assert done.code == 2
    assert len(seen) == 25
    tree = json.loads(done.out)
    assert tree["images"] == 24
    assert [line.startswith(bad) for line in tree["unreadable"]] == [True]
    last = clip_hparam(*words, cwd=tmp_path).out.splitlines()[-1]
    assert last.startswith("1 of 24 images cannot be read: type data.on_error=skip")


def test_file_of_the_same_size_is_decoded_again_if_its_time_differs(
    photos: Path, tmp_path: Path
) -> None:
    words = ("data", "check", str(photos))
    assert clip_hparam(*words, cwd=tmp_path).code == 0
    path = photos / "train" / "a" / "0.png"
    path.write_bytes(b"x" * path.stat().st_size)
    os.utime(path, (1, 1))
    done = clip_hparam(*words, cwd=tmp_path)
    assert done.code == 2
    assert done.out.startswith(f"{path} cannot be read as an image")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nowhere",), "nowhere is not a folder: type clip-hparam data check FOLDER"),
        (("data=folder",), "data.root is not set"),
        (("photos", "data=folder"), "photos and data=folder: name folders, or a data set"),
    ],
)
def test_wrong_use_of_check_is_refused(
    words: tuple[str, ...], sentence: str, photos: Path, tmp_path: Path
) -> None:
    done = clip_hparam("data", "check", *words, cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith(sentence)


def test_skip_leaves_out_unreadable_training_images(photos: Path, tmp_path: Path) -> None:
    words = (*TINY, f"data.root={photos}", "data.on_error=skip")
    before = sweep(*words, cwd=tmp_path)
    assert before.code == 0, before.err
    cut(photos / "train" / "a" / "0.png")
    after = sweep(*words, cwd=tmp_path)
    assert after.code == 0, after.err
    assert "training set: 7 images" in after.out
    assert ", 1 unreadable left out\n" in after.out
    assert "(data.on_error=skip): 1 training image (a/0.png)\n" in after.out
    results = [json.loads((r.folder / "result.json").read_text()) for r in records(tmp_path)]
    counts = [(one["images"]["train"], one["images"]["skipped"]) for one in results]
    assert sorted(counts) == [(7, 1), (8, 0)]  # two trials: the fingerprints differ


@pytest.mark.parametrize("part", ["val", "test"])
def test_skip_refuses_unreadable_evaluation_images(part: str, photos: Path, tmp_path: Path) -> None:
    bad = cut(photos / part / "a" / "0.png")
    words = (*TINY, f"data.root={photos}", "data.on_error=skip")
    done = sweep(*words, cwd=tmp_path)
    assert done.code == 2
    assert "data.on_error=skip leaves out training images only" in done.err
    assert done.err.splitlines()[-1].startswith(bad)


def test_skip_of_a_whole_class_is_refused(photos: Path, tmp_path: Path) -> None:
    for number in range(4):
        cut(photos / "train" / "b" / f"{number}.png")
    done = sweep(*TINY, f"data.root={photos}", "data.on_error=skip", cwd=tmp_path)
    assert done.code == 2
    assert "the 0 training images of class b" in done.err


def test_skip_is_refused_for_images_in_memory(tmp_path: Path) -> None:
    done = plan("-m", "data.on_error=skip", "seeds=2", cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith("data.on_error=skip is for images in files")


def test_large_set_is_unchecked_until_the_check_was_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_check, "MAX_FILES_UNASKED", 20)
    root = imagenet(tmp_path / "in")
    data = ("data=imagenet", f"data.root={root}")
    words = ("-m", *data, "batch_size=2", "dry_run=true")
    seen = decoded(monkeypatch)
    done = plan(*words, cwd=tmp_path)
    assert done.code == 0, done.err
    command = f"clip-hparam data check data=imagenet data.root={root}"
    assert f"note: the 24 images were not checked: {command} decodes" in done.err
    assert seen == []
    skipping = plan(*words, "data.on_error=skip", cwd=tmp_path)
    assert skipping.code == 2
    assert skipping.err.strip().endswith(f"type {command}")
    assert clip_hparam(*command.split()[1:], cwd=tmp_path).code == 0
    assert "not checked" not in plan(*words, cwd=tmp_path).err
    bad = cut(root / "train" / "n01440764" / "0.JPEG")
    assert clip_hparam(*command.split()[1:], cwd=tmp_path).code == 2
    done = plan(*words, cwd=tmp_path)
    assert done.code == 2
    assert bad in done.err
