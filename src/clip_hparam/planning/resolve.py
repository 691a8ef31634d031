"""Resolve a recipe: each `auto` gets a value, and an impossible recipe is refused.

Resolving needs labels, fingerprints and the shape of the encoder. It imports no torch, so that
thousands of trials are planned in seconds.
"""

from dataclasses import replace

import numpy as np

from clip_hparam.config.knob import AUTO
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.steps import total_steps, warmup_steps
from clip_hparam.data.dataset import Images
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.splits import split_sizes
from clip_hparam.model.architectures import patch_grid, shape_of
from clip_hparam.model.depth import frozen_predicate
from clip_hparam.model.weights_identity import normalization_of, weights_sha256
from clip_hparam.planning.class_names import validate_class_names

EMA_HALF_LIFE_SHARE = 0.11
"""Half-life of the published EMA as a share of the run: 3465 of 31250 steps (d = .9998)."""


def resolve(recipe: Recipe) -> Recipe:
    """The recipe with nothing left open, ready for `trial_id`.

    Raises ValueError for what cannot run (a batch larger than an epoch, a resolution that the
    patch size does not divide, ...), FileNotFoundError for missing images or weights.
    """
    images = load_dataset(recipe.data)
    train, _ = split_sizes(images.train_labels, recipe.data.shots, recipe.data.selection)
    epoch_images = recipe.data.epoch_images
    data = replace(
        recipe.data,
        epoch_images=int(train.sum()) if epoch_images == AUTO else epoch_images,
        fingerprint=_validated_identity(
            "data.fingerprint", recipe.data.fingerprint, images.fingerprint
        ),
    )
    shape = shape_of(recipe.encoder.name)
    weights = weights_sha256(recipe.encoder)
    pixels = recipe.encoder.pixels
    encoder = replace(
        recipe.encoder,
        weights=_validated_identity("encoder.weights", recipe.encoder.weights, weights),
        pixels=normalization_of(recipe.encoder) if pixels == AUTO else pixels,
    )
    resolved = replace(
        recipe,
        data=data,
        encoder=encoder,
        resolution=shape.resolution if recipe.resolution == AUTO else recipe.resolution,
        augment_backend=_resolve_augment_backend(recipe, images.train),
    )
    patch_grid(int(resolved.resolution), shape.patch)
    frozen_predicate(recipe.freeze, shape.blocks)
    if recipe.pool == "clip" and not shape.projects_cls:
        raise ValueError(
            f"pool=clip needs a CLIP that projects its class token, and {recipe.encoder.name} does"
            " not: try pool=patch_mean"
        )
    if recipe.head_init == "zero_shot":
        validate_class_names(recipe, images.classes)
    steps = total_steps(resolved)
    if resolved.ema_decay == AUTO:
        resolved = replace(resolved, ema_decay=ema_decay_for(steps))
    if warmup_steps(resolved) >= steps:
        raise ValueError(f"warmup={recipe.warmup} leaves no step to anneal of {steps}: try 0.2")
    return resolved


def _validated_identity(name: str, given: str, found: str) -> str:
    """What was found; raises ValueError if another was asked for."""
    if given not in (AUTO, found):
        raise ValueError(f"{name}={given} was asked for, and {found} is there: leave it auto")
    return found


def _resolve_augment_backend(recipe: Recipe, images: Images) -> str:
    """The augmentation backend; auto is tensor where it can do what is asked."""
    in_memory = isinstance(images, np.ndarray)
    if recipe.augment_backend == AUTO:
        return "tensor" if in_memory and recipe.rand_augment == "none" else "timm"
    if recipe.augment_backend == "tensor" and not in_memory:
        raise ValueError(
            f"augment_backend=tensor needs images in memory, and data={recipe.data.name} is read"
            " from files: try augment_backend=timm"
        )
    return recipe.augment_backend


def ema_decay_for(steps: int) -> float:
    """Decay per optimiser step whose half-life is EMA_HALF_LIFE_SHARE of a run of `steps`.

    The raw .9998 of the paper would leave a short run at its initial weights.
    """
    return float(0.5 ** (1 / (EMA_HALF_LIFE_SHARE * steps)))
