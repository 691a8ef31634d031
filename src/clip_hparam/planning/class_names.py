"""Check at plan time that head_init=zero_shot is possible: class names and a text tower exist.

Imports no torch.
"""

from collections.abc import Sequence

from clip_hparam.config.recipe import Recipe
from clip_hparam.data.datasets import dataset_spec
from clip_hparam.data.folders.names import listed
from clip_hparam.data.image_folder import WORDNET_ID
from clip_hparam.data.prompts.recipe_prompts import class_words
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
    encoder, data = recipe.encoder.name, recipe.data.name
    if recipe.data.class_names:
        classes = class_words(recipe.data, classes)
    known = None if recipe.data.templates else encoder_spec(encoder).class_names
    unknown = [name for name in classes if known is not None and name not in known]
    if known is not None and unknown:
        raise ValueError(
            f"encoder.name={encoder} has no prompts for {listed(unknown)}, only for {len(known)}"
            f" names from {min(known)} to {max(known)}: {HEAD_INIT_HINT}, or a CLIP that reads all"
            " words, such as encoder=clip_b16"
        )
    if known is None and not recipe.data.class_names:
        _validate_words(data, classes)


def _validate_words(data: str, classes: Sequence[str]) -> None:
    """Raise ValueError if a class of the data set has no words that a prompt can hold."""
    known = dataset_spec(data).prompt_classes
    if known is not None and (unknown := [name for name in classes if name not in known()]):
        raise ValueError(
            f"data={data} has prompts for {len(known()):,} classes, and {listed(unknown)} is not"
            f" among them: {HEAD_INIT_HINT}"
        )
    if known is None and classes and all(map(WORDNET_ID.fullmatch, classes)):
        raise ValueError(
            f"head_init=zero_shot reads the folder {classes[0]} as a word, and it is a WordNet id:"
            " try data=imagenet, data.class_names=FILE, or head_init=random"
        )
