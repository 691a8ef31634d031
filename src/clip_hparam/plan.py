"""Plan time: every `auto` of a recipe becomes a value, and what is impossible is refused.

No training stack is imported: a plan of thousands of trials needs only labels, fingerprints and
the shape of the encoder.
"""

from dataclasses import replace

from clip_hparam.towers import shape_of, weights_sha256
from clip_hparam.recipe import AUTO, Recipe
from clip_hparam.schedule import ema_decay_for
from clip_hparam.sources import source
from clip_hparam.splits import draw


def resolve(recipe: Recipe) -> Recipe:
    """The recipe with nothing left open, ready for `trial_id`.

    Raises ValueError for what cannot run (a batch larger than an epoch, a resolution that the
    patch size does not divide, ...), FileNotFoundError for missing images or weights.
    """
    images = source(recipe.data)
    split = draw(images.labels, recipe.data.shots, recipe.data.selection, recipe.seed)
    epoch_images = recipe.data.epoch_images
    data = replace(
        recipe.data,
        epoch_images=len(split.train) if epoch_images == AUTO else epoch_images,
        fingerprint=images.fingerprint,
    )
    encoder = replace(recipe.encoder, weights=weights_sha256(recipe.encoder))
    shape = shape_of(recipe.encoder.name)
    backend = recipe.augment_backend
    if backend == AUTO:
        backend = "tensor" if recipe.rand_augment == "none" else "timm"
    resolved = replace(
        recipe,
        data=data,
        encoder=encoder,
        resolution=shape.resolution if recipe.resolution == AUTO else recipe.resolution,
        augment_backend=backend,
    )
    _check_resolution(int(resolved.resolution), shape.patch)
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


def _check_resolution(resolution: int, patch: int) -> None:
    if resolution % patch:
        near = max(patch, round(resolution / patch) * patch)
        raise ValueError(
            f"resolution={resolution} is not a multiple of the patch size {patch}: try {near}"
        )
