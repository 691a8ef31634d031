"""Resolve a recipe: each `auto` gets a value, and an impossible recipe is refused.

Resolving needs labels, fingerprints and the shape of the encoder. It imports no torch, so that
thousands of trials are planned in seconds.
"""

from collections.abc import Sequence
from dataclasses import replace

from clip_hparam.config.knob import AUTO, split_dataset
from clip_hparam.config.recipe import Data, Encoder, Recipe
from clip_hparam.config.resolved_recipe import ResolvedRecipe, as_resolved
from clip_hparam.config.steps import total_steps, warmup_steps
from clip_hparam.data.dataset import ImageDataset
from clip_hparam.data.datasets import dataset_spec, load_dataset
from clip_hparam.data.folders.class_subset import ALL_CLASSES
from clip_hparam.data.prompts.recipe_prompts import DEFAULT, prompts_identity
from clip_hparam.data.splits import split_sizes
from clip_hparam.model.architectures import TowerShape, patch_grid, shape_of
from clip_hparam.model.depth import frozen_predicate
from clip_hparam.model.weights_identity import normalization_of, validate_part, weights_sha256
from clip_hparam.planning.class_names import validate_class_names
from clip_hparam.planning.data_facts import resolve_selection, validate_images

EMA_HALF_LIFE_SHARE = 0.11
"""Half-life of the published EMA as a share of the run: 3465 of 31250 steps (decay 0.9998)."""


def resolve(recipe: Recipe) -> ResolvedRecipe:
    """Return the recipe with a value for each `auto`, ready for `trial_id`.

    Raises: ValueError for a recipe that cannot run (a batch larger than an epoch, a resolution that
    the patch size does not divide, ...), FileNotFoundError for missing images or weights.
    """
    dataset, shape = load_dataset(recipe.data), shape_of(recipe.encoder.name)
    resolved = replace(
        recipe,
        data=_resolve_data(recipe.data, dataset),
        encoder=_resolve_encoder(recipe.encoder),
        resolution=shape.resolution if recipe.resolution == AUTO else recipe.resolution,
        augment_backend="tensor" if recipe.augment_backend == AUTO else recipe.augment_backend,
        mix_pairs=_resolve_mix_pairs(recipe),
    )
    validate_images(resolved.data)
    if resolved.ema_decay == AUTO:
        resolved = replace(resolved, ema_decay=ema_decay_for(total_steps(resolved)))
    return _with_prompts(_validated(as_resolved(resolved), shape, dataset.classes), dataset.classes)


def _resolve_data(data: Data, dataset: ImageDataset) -> Data:
    selection = resolve_selection(data, dataset)
    try:
        train, _ = split_sizes(dataset.train_labels, data.shots, selection, dataset.classes)
    except ValueError as error:
        raise ValueError("; ".join([str(error), *dataset.notes])) from None
    return replace(
        data,
        selection=selection,
        epoch_images=_resolve_epoch_images(data, int(train.sum())),
        fingerprint=_validated_identity("data.fingerprint", data.fingerprint, dataset.fingerprint),
    )


def _with_prompts(recipe: ResolvedRecipe, classes: Sequence[str]) -> ResolvedRecipe:
    """Return the recipe with the identity of its prompts. Raises ValueError if it asks for another.

    Also where they cannot be made: a file that is missing or has another number of names.
    """
    actual = prompts_identity(recipe, classes)
    given = AUTO if recipe.data.prompts == DEFAULT else recipe.data.prompts
    prompts = _validated_identity("data.prompts", given, actual)
    return replace(recipe, data=replace(recipe.data, prompts=prompts))


def _resolve_epoch_images(data: Data, train_images: int) -> int:
    """Return the draws of an epoch. Raises ValueError for a value of an unknown data set."""
    dataset, value = split_dataset(data.epoch_images)
    if dataset:
        dataset_spec(dataset)
    is_of_others = dataset not in ("", data.name) or (dataset and data.subset != ALL_CLASSES)
    if value == AUTO or is_of_others:
        return train_images
    return int(value)


def _resolve_encoder(encoder: Encoder) -> Encoder:
    return replace(
        encoder,
        weights=_validated_identity("encoder.weights", encoder.weights, weights_sha256(encoder)),
        pixels=normalization_of(encoder) if encoder.pixels == AUTO else encoder.pixels,
    )


def _validated(recipe: ResolvedRecipe, shape: TowerShape, classes: Sequence[str]) -> ResolvedRecipe:
    """Return the recipe. Raises ValueError if tower, classes or steps do not allow it."""
    patch_grid(recipe.resolution, shape.patch)
    frozen_predicate(recipe.freeze, shape.blocks)
    if recipe.lora_rank > shape.width:
        raise ValueError(
            f"lora_rank={recipe.lora_rank} is more than the width {shape.width} of"
            f" {recipe.encoder.name}, the full rank of its matrices: try lora_rank=8, or tune=full"
        )
    if recipe.pool == "clip" and not shape.projects_cls:
        raise ValueError(
            f"pool=clip needs a CLIP that projects its class token, and {recipe.encoder.name} does"
            " not: try pool=patch_mean"
        )
    if recipe.head_init == "zero_shot":
        validate_class_names(recipe, classes)
    if recipe.pool == "clip":
        validate_part(recipe.encoder, "projection")
    steps = total_steps(recipe)
    if warmup_steps(recipe) >= steps:
        raise ValueError(f"warmup={recipe.warmup} leaves no step to anneal of {steps}: try 0.2")
    return recipe


def _validated_identity(name: str, given: str, actual: str) -> str:
    """Return the actual identity. Raises ValueError if the recipe asks for another one."""
    if given not in (AUTO, actual):
        raise ValueError(f"{name}={given} differs from the actual {actual}: leave it auto")
    return actual


def _resolve_mix_pairs(recipe: Recipe) -> str:
    """Return which rows are mixed: the value from before the knob where none are.

    Raises: ValueError if the last row of a batch has no neighbour.
    """
    is_odd = recipe.batch_size % 2 == 1
    if not recipe.mixup and not recipe.cutmix:
        return "mirrored"
    if recipe.mix_pairs == "adjacent" and is_odd:
        raise ValueError(
            f"mix_pairs=adjacent mixes rows in pairs, and batch_size={recipe.batch_size} is odd:"
            f" try batch_size={recipe.batch_size + 1}, or mix_pairs=mirrored"
        )
    if recipe.mix_pairs == AUTO:
        return "mirrored" if is_odd else "adjacent"
    return recipe.mix_pairs


def ema_decay_for(steps: int) -> float:
    """Return the decay per step whose half-life is EMA_HALF_LIFE_SHARE of a run of `steps`.

    The paper's decay of 0.9998 would leave a short run at its initial weights.
    """
    return float(0.5 ** (1 / (EMA_HALF_LIFE_SHARE * steps)))
