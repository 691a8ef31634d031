"""Recipes of the published runs as resolved on ImageNet, without its images and weights."""

from typing import Any

from clip_hparam.cli.hydra_app.compose import compose_recipe
from clip_hparam.config.recipe import with_values
from clip_hparam.config.resolved_recipe import ResolvedRecipe, as_resolved

IMAGENET_IMAGES = 1281167  # of an epoch of the published runs


def published_recipe(*words: str) -> ResolvedRecipe:
    """Return a recipe without its weights and images, which its cost does not need."""
    known: dict[str, Any] = {
        "encoder.weights": "random",
        "encoder.pixels": "clip",
        "data.fingerprint": "none",
        "data.epoch_images": IMAGENET_IMAGES,
        "augment_backend": "tensor",
        "mix_pairs": "adjacent",
    }
    return as_resolved(with_values(compose_recipe(words), known))
