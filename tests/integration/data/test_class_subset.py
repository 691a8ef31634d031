"""data.subset on the command line: the plan counts its images, and a wrong list exits with 2."""

from pathlib import Path

import pytest
from support import image_folders
from support.cli import clip_hparam, sweep


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    counts = {f"photos/{name}": 10 for name in ("cat", "cow", "dog", "emu")}
    return image_folders.grow(tmp_path, counts, ".jpg") / "photos"


def test_plan_describe_and_ids_are_those_of_the_subset(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "two.txt").write_text("cow\nemu\n")
    words = ("data=folder", f"data.root={photos}", "data.subset=two.txt")
    done = clip_hparam("describe", *words, "batch_size=4", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "folder, 2 classes: cow, emu" in done.out
    assert "data.subset=two.txt keeps 2 of 4 classes" in done.out + done.err
    planned = sweep(
        "-m", "data=folder", f"data.root={photos}", "data.subset=none,two.txt", "batch_size=4",
        "dry_run=true", cwd=tmp_path,
    )  # fmt: skip
    assert planned.code == 0, planned.err
    assert "2 trials" in planned.out + planned.err
    assert "4 classes" in planned.err
    assert "2 classes" in planned.err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("cow\nemo\n", "did you mean emu?"), ("cow\nemu\ncow\n", "names cow more than once")],
)
def test_wrong_list_is_one_sentence_and_exit_code_2(
    photos: Path, tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "list.txt").write_text(text)
    done = sweep("data=folder", f"data.root={photos}", "data.subset=list.txt", cwd=tmp_path)
    assert done.code == 2
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert len(done.err.strip().splitlines()) == 1
