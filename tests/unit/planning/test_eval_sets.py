"""Sets that a trial cannot be evaluated on are refused at plan time."""

import pytest

from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.planning.eval_sets import validate_eval_sets


def test_sets_of_the_package_suit_the_default_recipe() -> None:
    validate_eval_sets(Recipe(), ["glyphs", "corrupted_1"])
    validate_eval_sets(Recipe(), None)


@pytest.mark.parametrize(
    ("values", "word", "message"),
    [
        ({}, "glyph", "did you mean glyphs"),
        ({"encoder.pretrained": "random"}, "glyphs", "is predicted by CLIP's text tower"),
        (
            {"encoder.name": "ViT-S-32", "encoder.pretrained": "random"},
            "glyphs",
            "leave it out of eval_sets",
        ),
    ],
)
def test_other_sets_are_refused(values: dict[str, str], word: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        validate_eval_sets(with_values(Recipe(), values), [word])
