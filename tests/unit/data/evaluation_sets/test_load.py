"""Sets are added to a data set under the prefix of their columns."""

from pathlib import Path

import pytest
from support.image_folders import grow

from clip_hparam.data.digits import load_digits
from clip_hparam.data.evaluation_sets.load import refuse_unreadable_sets, with_eval_sets


def test_sets_are_added_and_the_fingerprint_stays() -> None:
    digits = load_digits()
    more = with_eval_sets(digits, ["corrupted_3", "glyphs"])
    assert list(more.eval_sets) == ["test", "eval.corrupted_3", "eval.glyphs"]
    assert more.fingerprint == digits.fingerprint
    assert with_eval_sets(digits, []) is digits


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("glyph", "did you mean glyphs"),
        ("imagenet_r", r"needs its images: type eval_sets=\[imagenet_r:PATH\]"),
    ],
)
def test_unknown_names_and_missing_images_are_refused(word: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        with_eval_sets(load_digits(), [word])


def test_unreadable_images_are_named(tmp_path: Path, own_cache: None) -> None:
    root = grow(tmp_path / "set", {"1": 2, "2": 2})
    (root / "1" / "0.JPEG").write_bytes(b"no image")
    sets = with_eval_sets(load_digits(), [f"mine:{root}"]).eval_sets
    with pytest.raises(ValueError, match="1 of 4 images of eval_sets mine cannot be read: repair"):
        refuse_unreadable_sets(sets)
