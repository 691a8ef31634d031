"""The zero-shot prompts of a recipe, by data.class_names and data.templates, and their identity."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from clip_hparam.config.knob import AUTO
from clip_hparam.config.recipe import Data, Recipe
from clip_hparam.data.dataset import FileFacts, file_facts
from clip_hparam.data.datasets import all_classes, dataset_spec, load_dataset
from clip_hparam.data.folders.names import listed
from clip_hparam.data.prompt_templates import clip_templates
from clip_hparam.data.prompts.dataset_prompts import class_prompts
from clip_hparam.data.prompts.prompt_files import (
    PLACE,
    names_in_order,
    read_class_names,
    read_templates,
)
from clip_hparam.model.architectures import encoder_spec

DEFAULT = "default"
"""Value of data.prompts for the prompts of the data set."""


def uses_prompts(recipe: Recipe) -> bool:
    """Return whether a number of the trial depends on the prompts of the classes."""
    return recipe.head_init == "zero_shot"


def prompts_of(data: Data, encoder: str, classes: Sequence[str]) -> list[list[str]]:
    """Return the prompts of each class for the text tower of an encoder.

    Raises: ValueError and FileNotFoundError for a file that cannot be used.
    """
    if not data.class_names and not data.templates:
        return class_prompts(data.name, encoder, classes)
    words = class_words(data, classes)
    spec = encoder_spec(encoder)
    if spec.prompts is not None and not data.templates:
        return [spec.prompts(word) for word in words]
    own = dataset_spec(data.name).templates or clip_templates()
    templates = read_templates(data.templates) if data.templates else own
    prompts = [[template.replace(PLACE, word) for template in templates] for word in words]
    if spec.tokenize is not None:
        for texts in prompts:
            for text in texts:
                spec.tokenize(text)
    return prompts


def class_words(data: Data, classes: Sequence[str]) -> list[str]:
    """Return the words for each class that templates are filled with.

    Raises: ValueError if two classes get one name that the data set itself tells apart.
    """
    default = dataset_spec(data.name).words(classes)
    if not data.class_names:
        return default
    names = read_class_names(data.class_names)
    words = names_in_order(data.class_names, names, classes, all_classes(data))
    owner: dict[str, int] = {}
    for number, word in enumerate(words):
        first = owner.setdefault(word, number)
        # CLIP itself has one name for two classes of ImageNet, twice
        if first != number and default[first] != default[number]:
            pair = listed([classes[first], classes[number]])
            raise ValueError(
                f"data.class_names={data.class_names} gives {pair} one name, {word}: zero-shot CLIP"
                " cannot tell them apart; give each class its own"
            )
    return words


def prompts_identity(recipe: Recipe, classes: Sequence[str]) -> str:
    """Return `data.prompts`: DEFAULT, or the SHA-256 of other prompts where a number uses them."""
    if not uses_prompts(recipe):
        return DEFAULT
    return identity_of_prompts(recipe.data, recipe.encoder.name, classes)


def identity_of_prompts(data: Data, encoder: str, classes: Sequence[str]) -> str:
    """Return the SHA-256 of the prompts of an encoder, DEFAULT for those of the data set.

    Files that give the prompts of the data set are no difference.
    """
    files = [file for file in (data.class_names, data.templates) if file]
    if not files:
        return DEFAULT
    known = replace(data, shots=0, selection=0, epoch_images=AUTO, fingerprint=AUTO)
    stamps = tuple(file_facts(Path(file).expanduser()) for file in files)
    return _identity(replace(known, prompts=DEFAULT), encoder, tuple(classes), stamps)


@cache  # a plan has thousands of trials
def _identity(
    data: Data, encoder: str, classes: tuple[str, ...], stamps: tuple[FileFacts, ...]
) -> str:
    """Return the identity of the prompts; stamps: of the files, as they are now."""
    given = prompts_of(data, encoder, classes)
    if given == _own_prompts(data.name, encoder, classes):
        return DEFAULT
    return hashlib.sha256(json.dumps(given).encode()).hexdigest()


def _own_prompts(data: str, encoder: str, classes: tuple[str, ...]) -> list[list[str]] | None:
    """Return the prompts of the data set, None if it has none for these classes."""
    try:
        return class_prompts(data, encoder, classes)
    except (KeyError, ValueError):
        return None


def verified_prompts(recipe: Recipe, classes: Sequence[str]) -> list[list[str]]:
    """Return the prompts of a resolved recipe.

    Raises: ValueError if a file has changed since the trial was planned.
    """
    identity = prompts_identity(recipe, classes)
    if identity != recipe.data.prompts:
        raise ValueError(
            f"the trial was planned with data.prompts={recipe.data.prompts}, and its files"
            f" {recipe.data.class_names} {recipe.data.templates} now give {identity}: restore them,"
            " or plan the trial again"
        )
    return prompts_of(recipe.data, recipe.encoder.name, classes)


def validate_prompt_files(data: Data) -> list[str]:
    """Return the words of each class; files are read also where no number depends on them.

    Raises: as `prompts_of` does.
    """
    if data.templates:
        read_templates(data.templates)
    return class_words(data, load_dataset(data).classes)


def prompt_notes(recipe: Recipe) -> list[str]:
    """Return a sentence if files of prompts are named and no number depends on them.

    Raises: as `validate_prompt_files` does.
    """
    data = recipe.data
    given = {"data.class_names": data.class_names, "data.templates": data.templates}
    named = [f"{knob}={file}" for knob, file in given.items() if file]
    if not named or uses_prompts(recipe):
        return []
    validate_prompt_files(data)
    return [f"{' and '.join(named)} changes nothing here: prompts are read by head_init=zero_shot"]
