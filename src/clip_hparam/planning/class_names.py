"""Check at plan time that head_init=zero_shot is possible: class names and a text tower exist.

Imports no torch.
"""

from collections.abc import Sequence

from clip_hparam.config.recipe import Recipe
from clip_hparam.data.datasets import dataset_spec
from clip_hparam.model.architectures import RANDOM, encoder_spec, model_config
from clip_hparam.model.weights_identity import validate_part

HEAD_INIT_HINT = "try head_init=random"


def validate_class_names(recipe: Recipe, classes: Sequence[str]) -> None:
    """Raise ValueError with the reason if head_init=zero_shot is impossible.

    classes: names of the classes of the data set.
    """
    encoder = recipe.encoder
    if recipe.pool != "clip":
        raise ValueError(
            "head_init=zero_shot needs the features that CLIP's text tower is aligned with, and"
            f" pool={recipe.pool} reads others: try pool=clip"
        )
    if encoder.pretrained == RANDOM:
        raise ValueError(
            "head_init=zero_shot needs weights with a trained text tower, not random:"
            f" {HEAD_INIT_HINT}"
        )
    text = model_config(encoder.name)["text_cfg"]
    foreign = text.get("hf_model_name") or text.get("hf_tokenizer_name")
    if foreign:
        raise ValueError(
            f"encoder.name={encoder.name} uses {foreign} for text, which is not part of open_clip:"
            f" {HEAD_INIT_HINT}"
        )
    _validate_names(recipe, classes)
    validate_part(encoder, "text")


def _validate_names(recipe: Recipe, classes: Sequence[str]) -> None:
    """Raise ValueError if there is no prompt for a class."""
    known = encoder_spec(recipe.encoder.name).class_names
    for name in classes:
        if known is not None and name not in known:
            raise ValueError(
                f"encoder.name={recipe.encoder.name} has no prompts for class {name}, only for"
                f" {len(known)} names from {min(known)} to {max(known)}: {HEAD_INIT_HINT}"
            )
    count = dataset_spec(recipe.data.name).prompt_classes
    if count not in (None, len(classes)):
        raise ValueError(
            f"data={recipe.data.name} has prompts by the index of a class among {count}, and there"
            f" are {len(classes)} classes: {HEAD_INIT_HINT}"
        )
