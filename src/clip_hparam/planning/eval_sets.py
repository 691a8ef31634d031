"""Check at plan time that a trial can be evaluated on the sets of the driver key `eval_sets`.

Imports no torch.
"""

from functools import cache
from typing import Any

from clip_hparam.config.options.eval_set_words import eval_set_words
from clip_hparam.config.recipe import Data, Encoder, Recipe
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.evaluation_sets.load import load_eval_sets, refuse_unreadable_sets
from clip_hparam.model.architectures import RANDOM, encoder_spec, shape_of
from clip_hparam.model.weights_identity import validate_part


def validate_eval_sets(recipe: Recipe, value: Any) -> None:
    """Raise ValueError or FileNotFoundError, with the reason, for sets that cannot be used.

    value: of the driver key.
    """
    words = eval_set_words(value)
    if words:
        _validate(recipe.data, recipe.encoder, words)


@cache
def _validate(data: Data, encoder: Encoder, words: tuple[str, ...]) -> None:
    sets = load_eval_sets(load_dataset(data), words)
    refuse_unreadable_sets(sets)
    for name, eval_set in sets.items():
        if eval_set.zero_shot:
            _validate_text_tower(name, encoder, eval_set.class_names)


def _validate_text_tower(name: str, encoder: Encoder, classes: tuple[str, ...]) -> None:
    if encoder.pretrained == RANDOM or not shape_of(encoder.name).projects_cls:
        raise ValueError(
            f"{name} is predicted by CLIP's text tower, and encoder.name={encoder.name} with"
            f" encoder.pretrained={encoder.pretrained} has none: leave it out of eval_sets"
        )
    known = encoder_spec(encoder.name).class_names
    unknown = [name for name in classes if known is not None and name not in known]
    if unknown:
        raise ValueError(
            f"{name} holds the class {unknown[0]}, for which encoder.name={encoder.name} has no"
            " prompt: leave it out of eval_sets"
        )
    validate_part(encoder, "projection")
    validate_part(encoder, "text")
