"""Count parameters and multiply-adds of a classifier from the encoder's config."""

from collections.abc import Callable, Iterator
from math import prod

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.model.architectures import model_config, shape_of
from clip_hparam.model.trained import LORA, is_adapted, trained_predicate

LOGIT_SCALE = "head.logit_scale"
DEFAULT_MLP_RATIO = 4.0  # open_clip's default


def parameter_counts(recipe: ResolvedRecipe, classes: int) -> dict[str, int]:
    """Return the number of values of each parameter of the classifier, by parameter name."""
    return {name: prod(shape) for name, shape in _parameter_shapes(recipe, classes)}


def trainable_and_frozen(recipe: ResolvedRecipe, classes: int) -> tuple[int, int]:
    """Return the numbers of trainable and of frozen parameters."""
    is_trained = parameter_is_trained(recipe)
    counts = parameter_counts(recipe, classes)
    trained_count = sum(count for name, count in counts.items() if is_trained(name))
    return trained_count, sum(counts.values()) - trained_count


def parameter_is_trained(recipe: ResolvedRecipe) -> Callable[[str], bool]:
    """Return a function that decides by a name of `parameter_counts` whether it is trained."""
    blocks = shape_of(recipe.encoder.name).blocks
    is_trained = trained_predicate(recipe.freeze, recipe.tune, blocks)
    constant = LOGIT_SCALE if recipe.logit_scale == "fixed" else None
    return lambda name: is_trained(name) and name != constant


def adapted_values(recipe: ResolvedRecipe) -> int:
    """Return the number of values in the matrices that tune=lora adapts; 0 otherwise."""
    if recipe.tune != LORA:
        return 0
    blocks = shape_of(recipe.encoder.name).blocks
    shapes = _model_shapes(recipe, classes=1)
    return sum(prod(shape) for name, shape in shapes if is_adapted(name, recipe.freeze, blocks))


def multiply_adds(recipe: ResolvedRecipe, classes: int) -> int:
    """Return the multiply-adds of the forward pass of one image.

    Papers call this number FLOPs (17.5 G for ViT-B/16 at 224 px). It counts matrix products only:
    the patch projection, the blocks with their attention, the head.
    """
    shape = shape_of(recipe.encoder.name)
    patches = (recipe.resolution // shape.patch) ** 2
    tokens = patches + 1
    counts = parameter_counts(recipe, classes)
    in_blocks = sum(
        count
        for name, count in counts.items()
        if name.startswith("transformer.") and name.endswith("weight") and ".ln_" not in name
    )
    attention = 2 * tokens**2 * shape.width * shape.blocks
    return (
        patches * counts["conv1.weight"]
        + tokens * in_blocks
        + attention
        + counts.get("proj", 0)
        + counts["head.weight"]
    )


def _parameter_shapes(
    recipe: ResolvedRecipe, classes: int
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the shapes of the classifier and of what `tune` and `logit_scale` add to it."""
    blocks = shape_of(recipe.encoder.name).blocks
    for name, shape in _model_shapes(recipe, classes):
        yield name, shape
        if recipe.tune == LORA and is_adapted(name, recipe.freeze, blocks):
            yield f"{name}.lora_down", (recipe.lora_rank, shape[1])
            yield f"{name}.lora_up", (shape[0], recipe.lora_rank)
    if recipe.logit_scale != "in_head":
        yield LOGIT_SCALE, ()


def _model_shapes(recipe: ResolvedRecipe, classes: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    config = model_config(recipe.encoder.name)
    vision = config["vision_cfg"]
    shape = shape_of(recipe.encoder.name)
    width = shape.width
    hidden = int(width * vision.get("mlp_ratio", DEFAULT_MLP_RATIO))
    yield "class_embedding", (width,)
    yield "positional_embedding", ((recipe.resolution // shape.patch) ** 2 + 1, width)
    yield "conv1.weight", (width, 3, shape.patch, shape.patch)
    if not vision.get("no_ln_pre"):
        yield from _weight_and_bias("ln_pre", width)
    for block in range(shape.blocks):
        at = f"transformer.resblocks.{block}"
        yield from _weight_and_bias(f"{at}.ln_1", width)
        yield f"{at}.attn.in_proj_weight", (3 * width, width)
        yield f"{at}.attn.in_proj_bias", (3 * width,)
        yield from _weight_and_bias(f"{at}.attn.out_proj", width, width)
        yield from _weight_and_bias(f"{at}.ln_2", width)
        yield from _weight_and_bias(f"{at}.mlp.c_fc", hidden, width)
        yield from _weight_and_bias(f"{at}.mlp.c_proj", width, hidden)
        if vision.get("ls_init_value"):
            yield f"{at}.ls_1.gamma", (width,)
            yield f"{at}.ls_2.gamma", (width,)
    if recipe.pool == "clip":
        yield from _weight_and_bias("ln_post", width)
        yield "proj", (width, config["embed_dim"])
        width = config["embed_dim"]
    else:
        yield from _weight_and_bias("fc_norm", width)
    yield from _weight_and_bias("head", classes, width)


def _weight_and_bias(name: str, out: int, *inputs: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield weight and bias of a linear layer, or of a norm (no inputs), with their shapes."""
    yield f"{name}.weight", (out, *inputs)
    yield f"{name}.bias", (out,)
