"""timm's transforms as in FT-CLIP's `datasets.build_transform`, with two repairs.

The order is: random resized crop, flip, RandAugment, colour jitter, to tensor, normalise, random
erasing. Colour jitter also applies with RandAugment, and Posterize accepts 0 bits.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from PIL import Image
from timm.data.auto_augment import RandAugment
from timm.data.transforms_factory import create_transform, transforms_imagenet_train
from torch import Tensor

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.model.normalization import NORMALIZATIONS

Transform = Callable[[Image.Image], Tensor]


def train_transform(recipe: ResolvedRecipe) -> Transform:
    """Return timm's training transform for a recipe, with colour jitter.

    `create_transform` drops colour jitter when RandAugment is on and has no option against it, so
    the function that it wraps is called.
    """
    mean, std = NORMALIZATIONS[recipe.encoder.pixels]
    transform: Any = transforms_imagenet_train(
        recipe.resolution,
        scale=(recipe.crop_scale, 1.0),
        hflip=recipe.hflip,
        color_jitter=recipe.color_jitter or None,  # type: ignore[arg-type] # timm looks for None
        force_color_jitter=True,
        auto_augment=None if recipe.rand_augment == "none" else recipe.rand_augment,
        interpolation=recipe.interpolation,
        mean=mean,
        std=std,
        re_prob=recipe.random_erasing,
        re_mode="pixel",
        re_count=1,
    )
    for step in transform.transforms:
        if isinstance(step, RandAugment):
            for operation in step.ops:
                if operation.name.startswith("Posterize"):
                    operation.aug_fn = partial(posterize, operation.aug_fn)
    augmented: Transform = transform
    return augmented


@cache
def eval_transform(resolution: int, interpolation: str, normalization: str) -> Transform:
    """Return timm's evaluation transform: shorter side to `resolution` px, centre crop, normalise.

    normalization: a key of NORMALIZATIONS.
    """
    mean, std = NORMALIZATIONS[normalization]
    transform: Transform = create_transform(
        (3, resolution, resolution),
        is_training=False,
        crop_pct=1.0,
        interpolation=interpolation,
        mean=mean,
        std=std,
    )
    return transform


def posterize(
    timm_posterize: Callable[..., Image.Image], image: Image.Image, bits: int, **options: Any
) -> Image.Image:
    """Return timm's posterized image; black for 0 bits or fewer, which Pillow 13 refuses."""
    return image.point([0] * 768) if bits <= 0 else timm_posterize(image, bits, **options)
