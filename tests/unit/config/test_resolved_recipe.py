"""A resolved recipe is the recipe itself, without `auto`."""

import pytest

from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.planning.resolve import resolve


def test_resolved_recipe_is_the_same_object() -> None:
    recipe = resolve(Recipe())
    assert as_resolved(recipe) is recipe
    assert type(recipe) is Recipe


@pytest.mark.parametrize("knob", ["resolution", "ema_decay", "data.epoch_images", "encoder.pixels"])
def test_auto_is_refused_with_the_name_of_the_knob(knob: str) -> None:
    with pytest.raises(ValueError, match=f"^{knob} is still auto: resolve the recipe first"):
        as_resolved(with_values(resolve(Recipe()), {knob: "auto"}))
