"""The remedy for unreadable images names those that must be repaired."""

import pytest

from clip_hparam.data.folders.unreadable import how_to_repair

ONLY = ", and data.on_error=skip leaves out training images only"


@pytest.mark.parametrize(
    ("found", "outside", "words"),
    [
        (3, 0, "type data.on_error=skip to train without them, or repair them"),
        (1, 1, "repair or remove them: none is a training image" + ONLY),
        (5, 1, "repair or remove the last one: it is in the selection or test set" + ONLY),
        (5, 2, "repair or remove the last 2: they are in the selection or test set" + ONLY),
    ],
)
def test_remedy_names_the_images_outside_the_training_set(
    found: int, outside: int, words: str
) -> None:
    assert how_to_repair(found, outside) == words
