"""Trials are evaluated on the sets of eval_sets, which change nothing else of their record."""

from pathlib import Path

import numpy as np
import pytest
from support.cli import SHORT, records, sweep
from support.image_folders import grow


def test_sets_add_their_columns_and_change_no_other(tmp_path: Path) -> None:
    root = grow(tmp_path / "photos", {"1": 2, "7": 3})
    words = f"eval_sets=[glyphs,corrupted_5,photos:{root}]"
    for folder, more in (("plain", ()), ("more", (words,))):
        (tmp_path / folder).mkdir()
        done = sweep(*SHORT, *more, cwd=tmp_path / folder)
        assert done.code == 0, done.err
    (plain,), (more_sets,) = (records(tmp_path / name) for name in ("plain", "more"))
    assert plain.trial_id == more_sets.trial_id
    before, after = ((record.result() or {}) for record in (plain, more_sets))
    assert before["metrics"].items() <= after["metrics"].items()
    names = {name.split(".")[1] for name in after["metrics"].keys() - before["metrics"].keys()}
    assert names == {"glyphs", "corrupted_5", "photos"}
    assert after["metrics"]["eval.glyphs.acc1.zero_shot"] > 60
    assert 0 <= after["metrics"]["eval.photos.macro_f1.raw.last"] <= 100
    facts = after["eval_sets"]
    assert {name: facts[name]["images"] for name in names} == {
        "glyphs": 620,
        "corrupted_5": 896,
        "photos": 5,
    }
    assert all(len(one["fingerprint"]) == 64 for one in facts.values())
    with np.load(more_sets.folder / "predictions.npz") as file:
        assert file["eval.photos.classes"].tolist() == ["1", "7"]
        assert len(file["eval.glyphs.pictures"]) == 32


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("eval_sets=[glyph]", "eval_sets=glyph is not a set of the package: did you mean glyphs?"),
        ("eval_sets=[mine:nowhere]", "eval_sets=mine:nowhere is neither a folder nor"),
        ("eval_sets=[glyphs,glyphs]", "names glyphs twice"),
    ],
)
def test_wrong_sets_are_refused_before_training(tmp_path: Path, word: str, message: str) -> None:
    for more in ((), ("-m",)):
        done = sweep(*more, *SHORT, word, cwd=tmp_path)
        assert (done.code, message in done.err) == (2, True), done.err
        assert "Traceback" not in done.err
    assert not (tmp_path / "runs").exists()


def test_glyphs_need_a_text_tower(tmp_path: Path) -> None:
    done = sweep(*SHORT, "encoder=tiny_random", "eval_sets=[glyphs]", cwd=tmp_path)
    assert done.code == 2
    assert "eval.glyphs is predicted by CLIP's text tower" in done.err
