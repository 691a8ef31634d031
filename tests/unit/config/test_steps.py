"""Optimizer steps of a recipe: whole batches only, and a warm-up rounded to whole steps."""

from typing import Any

import pytest

from clip_hparam.config.recipe import Data, Recipe
from clip_hparam.config.steps import steps_per_epoch, total_steps, warmup_steps


def recipe(images: int, **knobs: Any) -> Recipe:
    return Recipe(data=Data(epoch_images=images), batch_size=10, **knobs)


@pytest.mark.parametrize(("images", "steps"), [(10, 1), (19, 1), (20, 2), (109, 10)])
def test_an_epoch_has_whole_batches(images: int, steps: int) -> None:
    assert steps_per_epoch(recipe(images)) == steps
    assert total_steps(recipe(images, epochs=3)) == 3 * steps


def test_an_epoch_smaller_than_a_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_size=10 is larger than an epoch of 9 images"):
        steps_per_epoch(recipe(9))


@pytest.mark.parametrize(
    ("warmup", "steps"), [(0.0, 0), (0.04, 1), (0.05, 2), (0.19, 6), (0.2, 6), (0.5, 15)]
)
def test_the_warmup_is_the_nearest_number_of_steps_of_the_whole_run(
    warmup: float, steps: int
) -> None:
    assert warmup_steps(recipe(100, epochs=3, warmup=warmup)) == steps
