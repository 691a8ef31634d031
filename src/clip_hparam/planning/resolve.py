"""Plan time: every `auto` of a recipe becomes a value, and what is impossible is refused.

No training stack is imported: a plan of thousands of trials needs only labels, fingerprints and
the shape of the encoder.
"""

from dataclasses import replace

import numpy as np

from clip_hparam.config.knob import AUTO
from clip_hparam.config.recipe import Recipe
from clip_hparam.data.dataset import Images
from clip_hparam.data.datasets import source
from clip_hparam.data.splits import sizes
from clip_hparam.model.architectures import grid_of, pixels_of, shape_of, weights_sha256
from clip_hparam.model.depth import frozen_by
from clip_hparam.planning.class_names import check_words
from clip_hparam.training.lr_schedule import ema_decay_for


def resolve(recipe: Recipe) -> Recipe:
    """The recipe with nothing left open, ready for `trial_id`.

    Raises ValueError for what cannot run (a batch larger than an epoch, a resolution that the
    patch size does not divide, ...), FileNotFoundError for missing images or weights.
    """
    images = source(recipe.data)
    train, _ = sizes(images.labels, recipe.data.shots, recipe.data.selection)
    epoch_images = recipe.data.epoch_images
    data = replace(
        recipe.data,
        epoch_images=int(train.sum()) if epoch_images == AUTO else epoch_images,
        fingerprint=_as_given("data.fingerprint", recipe.data.fingerprint, images.fingerprint),
    )
    shape = shape_of(recipe.encoder.name)
    weights = weights_sha256(recipe.encoder)
    pixels = recipe.encoder.pixels
    encoder = replace(
        recipe.encoder,
        weights=_as_given("encoder.weights", recipe.encoder.weights, weights),
        pixels=pixels_of(recipe.encoder) if pixels == AUTO else pixels,
    )
    resolved = replace(
        recipe,
        data=data,
        encoder=encoder,
        resolution=shape.resolution if recipe.resolution == AUTO else recipe.resolution,
        augment_backend=_backend(recipe, images.pool),
    )
    grid_of(int(resolved.resolution), shape.patch)
    frozen_by(recipe.freeze, shape.blocks)
    if recipe.pool == "clip" and not shape.projects_cls:
        raise ValueError(
            f"pool=clip needs a CLIP that projects its class token, and {recipe.encoder.name} does"
            " not: try pool=patch_mean"
        )
    if recipe.head_init == "zero_shot":
        check_words(recipe, images.classes)
    steps = total_steps(resolved)
    if resolved.ema_decay == AUTO:
        resolved = replace(resolved, ema_decay=ema_decay_for(steps))
    if warmup_steps(resolved) >= steps:
        raise ValueError(f"warmup={recipe.warmup} leaves no step to anneal of {steps}: try 0.2")
    return resolved


def steps_per_epoch(recipe: Recipe) -> int:
    """Whole batches in an epoch; what is left over is not used, as in the official code.

    Raises ValueError if an epoch is smaller than a batch.
    """
    images = int(recipe.data.epoch_images)
    if images < recipe.batch_size:
        raise ValueError(
            f"batch_size={recipe.batch_size} is larger than an epoch of {images} images:"
            f" try batch_size={images} or a larger data.epoch_images"
        )
    return images // recipe.batch_size


def total_steps(recipe: Recipe) -> int:
    return recipe.epochs * steps_per_epoch(recipe)


def warmup_steps(recipe: Recipe) -> int:
    """Steps of the warm-up; the share is of the run, so it holds for any number of epochs."""
    return round(recipe.warmup * total_steps(recipe))


def _as_given(name: str, given: str, found: str) -> str:
    """What was found; raises ValueError if another was asked for."""
    if given not in (AUTO, found):
        raise ValueError(f"{name}={given} was asked for, and {found} is there: leave it auto")
    return found


def _backend(recipe: Recipe, images: Images) -> str:
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
