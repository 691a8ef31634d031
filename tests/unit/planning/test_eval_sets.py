"""Sets that a trial cannot be evaluated on are refused at plan time."""

import pytest

from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.planning.eval_sets import (
    UnusableEvalSetsError,
    eval_set_rows,
    validate_eval_sets,
)


def test_sets_of_the_package_suit_the_default_recipe() -> None:
    validate_eval_sets(Recipe(), ["glyphs", "corrupted_1"])
    validate_eval_sets(Recipe(), None)


@pytest.mark.parametrize(
    ("values", "word", "message"),
    [
        ({}, "glyph", "did you mean glyphs"),
        ({}, "mine:nowhere", "eval_sets=mine:nowhere is neither a folder nor a description"),
        ({"encoder.pretrained": "random"}, "glyphs", "is predicted by CLIP's text tower"),
        (
            {"encoder.name": "ViT-S-32", "encoder.pretrained": "random"},
            "glyphs",
            "leave it out of eval_sets",
        ),
    ],
)
def test_other_sets_are_refused(values: dict[str, str], word: str, message: str) -> None:
    with pytest.raises(UnusableEvalSetsError, match=message):
        validate_eval_sets(with_values(Recipe(), values), [word])


def test_sets_are_described_by_their_images_and_classes() -> None:
    rows = dict(eval_set_rows(Recipe().data, ["glyphs", "corrupted_1"]))
    assert list(rows) == ["eval_sets glyphs", "eval_sets corrupted_1"]
    assert rows["eval_sets corrupted_1"] == "896 images of 10 classes"
    assert rows["eval_sets glyphs"].endswith("classes, by CLIP's text tower")
