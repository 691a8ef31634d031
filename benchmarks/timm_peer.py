"""The training loader of timm, with which the readers of images are compared."""

from typing import Any

from timm.data import create_loader

from clip_hparam.config.recipe import Recipe
from clip_hparam.model.normalization import CLIP_MEAN, CLIP_STD


def timm_loader(dataset: Any, recipe: Recipe, side: int, batch: int, training: bool = True) -> Any:
    """Return timm's loader in this process, with the transform of a recipe.

    It yields normalised batches, float32, shape (batch, 3, side, side), and labels.
    """
    return create_loader(
        dataset,
        (3, side, side),
        batch,
        is_training=training,
        use_prefetcher=False,
        scale=(recipe.crop_scale, 1.0),
        hflip=recipe.hflip,
        color_jitter=None,  # type: ignore[arg-type]
        re_prob=recipe.random_erasing,
        re_mode="pixel",
        interpolation=recipe.interpolation,
        mean=CLIP_MEAN,
        std=CLIP_STD,
        crop_pct=1.0,
        num_workers=0,
        persistent_workers=False,
    )
