"""ResolvedRecipe: a Recipe in which each `auto` has been replaced by a value.

It is a type for the type checker only. At run time it is Recipe itself, so that equality, pickles,
`asdict` and trial ids do not depend on it.
"""

from typing import TYPE_CHECKING, cast

from clip_hparam.config.knob import AUTO
from clip_hparam.config.recipe import Data, Recipe, flatten

if TYPE_CHECKING:

    class ResolvedData(Data):
        """Data whose epoch and selection set have a size."""

        epoch_images: int
        selection: float

    class ResolvedRecipe(Recipe):
        """Recipe whose knobs are numbers where `auto` was allowed."""

        ema_decay: float
        resolution: int
        data: ResolvedData

else:
    ResolvedRecipe = Recipe


def as_resolved(recipe: Recipe) -> ResolvedRecipe:
    """Return the same recipe. Raises ValueError if the value of a knob is still `auto`."""
    for name, value in flatten(recipe).items():
        if value == AUTO:
            raise ValueError(f"{name} is still auto: resolve the recipe first")
    return cast(ResolvedRecipe, recipe)
