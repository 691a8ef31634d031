"""Check at plan time that head_init=zero_shot is possible: class names and a text tower exist.

Imports no torch.
"""

from collections.abc import Sequence

from clip_hparam.config.recipe import Recipe
from clip_hparam.data.datasets import dataset_spec
from clip_hparam.model.architectures import RANDOM, encoder_spec, model_config
from clip_hparam.model.weights_identity import validate_text_tower

HEAD_INIT_HINT = "try head_init=random"


def validate_class_names(recipe: Recipe, classes: Sequence[str]) -> None:
    """Raise ValueError with the reason if head_init=zero_shot is impossible.

    classes: names of the classes of the data set.
    """
    encoder = recipe.encoder
    if recipe.pool != "clip":
        raise ValueError(
            f"head_init=zero_shot needs the space that CLIP's text tower shares, and"
            f" pool={recipe.pool} reads another: try pool=clip"
        )
    if encoder.pretrained == RANDOM:
        raise ValueError(
            f"head_init=zero_shot needs weights that know words, not random: {HEAD_INIT_HINT}"
        )
    text = model_config(encoder.name)["text_cfg"]
    foreign = text.get("hf_model_name") or text.get("hf_tokenizer_name")
    if foreign:
        raise ValueError(
            f"encoder.name={encoder.name} reads words with {foreign}, which is not in open_clip:"
            f" {HEAD_INIT_HINT}"
        )
    _validate_names(recipe, classes)
    validate_text_tower(encoder)


def _validate_names(recipe: Recipe, classes: Sequence[str]) -> None:
    """Raise ValueError if there is no prompt for a class."""
    known = encoder_spec(recipe.encoder.name).class_names
    unknown = [name for name in classes if known is not None and name not in known]
    if unknown:
        raise ValueError(
            f"the {recipe.encoder.name} CLIP knows characters only, no class {unknown[0]}:"
            f" {HEAD_INIT_HINT}"
        )
    count = dataset_spec(recipe.data.name).prompt_classes
    if count not in (None, len(classes)):
        raise ValueError(
            f"the class names of data={recipe.data.name} go by their number among {count}, and"
            f" there are {len(classes)}: {HEAD_INIT_HINT}"
        )
