"""Count the optimizer steps of a resolved recipe: per epoch, in total, and of the warm-up."""

from clip_hparam.config.recipe import Recipe


def steps_per_epoch(recipe: Recipe) -> int:
    """Return the whole batches in an epoch; a smaller last batch is dropped, as in FT-CLIP's code.

    Raises: ValueError if an epoch is smaller than a batch.
    """
    images = int(recipe.data.epoch_images)
    if images < recipe.batch_size:
        raise ValueError(
            f"batch_size={recipe.batch_size} is larger than an epoch of {images} images:"
            f" try batch_size={images} or a larger data.epoch_images"
        )
    return images // recipe.batch_size


def total_steps(recipe: Recipe) -> int:
    """Return the optimizer steps of the whole run."""
    return recipe.epochs * steps_per_epoch(recipe)


def warmup_steps(recipe: Recipe) -> int:
    """Return the steps of the warm-up, which is a share of the whole run."""
    return round(recipe.warmup * total_steps(recipe))
