"""Check at plan time that a trial can be evaluated on the sets of the driver key `eval_sets`.

Imports no torch.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from clip_hparam.config.options.eval_set_words import eval_set_words
from clip_hparam.config.recipe import Data, Encoder, Recipe
from clip_hparam.config.text.count import counted
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.evaluation_sets.load import PREFIX, load_eval_sets, refuse_unreadable_sets
from clip_hparam.model.architectures import RANDOM, encoder_spec, shape_of
from clip_hparam.model.weights_identity import validate_part


class UnusableEvalSetsError(ValueError):
    """Evaluation sets that a trial cannot be evaluated on, with the reason."""


def validate_eval_sets(recipe: Recipe, value: Any) -> None:
    """Raise UnusableEvalSetsError for sets that cannot be used.

    value: of the driver key. Raises ValueError or FileNotFoundError for the data of the recipe.
    """
    if value is None:
        return
    load_dataset(recipe.data)
    try:
        words = eval_set_words(value)
        if words:
            _validate(recipe.data, recipe.encoder, words)
    except (ValueError, FileNotFoundError) as error:
        raise UnusableEvalSetsError(str(error)) from error


def eval_set_rows(data: Data, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield a name and a value for each of these sets, as `data_rows` for the sets of a trial."""
    dataset = load_dataset(data)
    for name, eval_set in load_eval_sets(dataset, words).items():
        classes = eval_set.class_names or dataset.classes
        by = ", by CLIP's text tower" if eval_set.zero_shot else ""
        yield (
            f"eval_sets {name.removeprefix(PREFIX)}",
            f"{counted(len(eval_set.labels), 'image')}"
            f" of {counted(len(classes), 'class', 'classes')}{by}",
        )


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
