"""What the classes of a data set are called, and whether an encoder can read that.

No training stack: a plan refuses what has no words before anything starts.
"""

from collections.abc import Sequence

from clip_hparam.config.recipe import Recipe
from clip_hparam.model.architectures import RANDOM, TINY, model_config
from clip_hparam.model.tiny_clip.captions import CHARACTERS
from clip_hparam.model.weights_identity import validate_text_tower

HEAD_INIT_HINT = "try head_init=random"
IMAGENET_CLASSES = 1000


def validate_class_names(recipe: Recipe, classes: Sequence[str]) -> None:
    """Raises ValueError if head_init=zero_shot cannot be had, with the reason."""
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
    unknown = [name for name in classes if encoder.name == TINY and name not in CHARACTERS]
    if unknown:
        raise ValueError(
            f"the tiny CLIP knows characters only, no class {unknown[0]}: {HEAD_INIT_HINT}"
        )
    if recipe.data.name == "imagenet" and len(classes) != IMAGENET_CLASSES:
        raise ValueError(
            f"the names of ImageNet's classes go by their number among {IMAGENET_CLASSES}, and"
            f" there are {len(classes)}: {HEAD_INIT_HINT}"
        )
    validate_text_tower(encoder)
