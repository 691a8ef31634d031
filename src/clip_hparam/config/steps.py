"""Count the optimiser steps of a resolved recipe: per epoch, in total, and of the warm-up."""

from clip_hparam.config.recipe import Recipe


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
