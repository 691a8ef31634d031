"""timm's transforms, as FT-CLIP's `datasets.build_transform` has them, with two repairs.

Random resized crop, flip, RandAugment, to tensor, normalise, random erasing.
Colour jitter is never dropped without a word, and Posterize may be asked for 0 bits.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from PIL import Image
from timm.data.auto_augment import RandAugment
from timm.data.transforms_factory import create_transform, transforms_imagenet_train
from torch import Tensor

from clip_hparam.config.recipe import Recipe
from clip_hparam.model.normalization import NORMALIZATIONS

Transform = Callable[[Image.Image], Tensor]


def train_transform(recipe: Recipe) -> Transform:
    """timm's training transform; colour jitter is applied beside RandAugment too.

    create_transform leaves it out there without a word, and cannot be told otherwise, so its inner
    function is called.
    """
    mean, std = NORMALIZATIONS[recipe.encoder.pixels]
    transform: Any = transforms_imagenet_train(
        int(recipe.resolution),
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
def eval_transform(resolution: int, interpolation: str, pixels: str) -> Transform:
    """timm's evaluation transform with crop share 1: shorter side to size, centre, normalise."""
    mean, std = NORMALIZATIONS[pixels]
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
    inner: Callable[..., Image.Image], image: Image.Image, bits: int, **rest: Any
) -> Image.Image:
    """timm's posterize, and black for 0 bits, as in Pillow before it began to refuse them."""
    return image.point([0] * 768) if bits == 0 else inner(image, bits, **rest)
