"""The transforms are those of FT-CLIP in timm, except for colour jitter and 0 bits."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageOps
from timm.data import create_transform
from timm.data.auto_augment import AugmentOp, RandAugment

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.data.transforms.timm_pipeline import eval_transform, train_transform
from clip_hparam.model.normalization import CLIP_MEAN, CLIP_STD

OFFICIAL = Recipe(
    encoder=Encoder(pixels="clip"),
    resolution=32,
    hflip=0.5,
    rand_augment="rand-m9-mstd0.5-inc1",
    random_erasing=0.25,
    augment_backend="timm",
)


def picture(side: int = 40) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8))


def test_train_transform_equals_create_transform_of_ft_clip() -> None:
    official = create_transform(
        32,
        is_training=True,
        color_jitter=0.4,  # no effect there with RandAugment
        auto_augment="rand-m9-mstd0.5-inc1",
        interpolation="bicubic",
        re_prob=0.25,
        re_mode="pixel",
        re_count=1,
        mean=CLIP_MEAN,
        std=CLIP_STD,
    )
    assert str(train_transform(OFFICIAL)) == str(official)


def test_colour_jitter_is_applied_with_rand_augment() -> None:
    steps = str(train_transform(replace(OFFICIAL, color_jitter=0.4)))
    assert "ColorJitter(brightness=(0.6" in steps
    assert steps.index("RandAugment") < steps.index("ColorJitter") < steps.index("ToTensor")


def test_eval_transform_crops_nothing() -> None:
    assert "size=32" in str(eval_transform(32, "bicubic", "clip"))
    assert eval_transform(32, "bicubic", "clip")(picture(32)).shape == (3, 32, 32)


def operation(name: str, recipe: Recipe = OFFICIAL) -> AugmentOp:
    """Return an operation of the recipe's RandAugment with probability 1."""
    steps = train_transform(recipe).transforms  # type: ignore[attr-defined]
    augment = next(step for step in steps if isinstance(step, RandAugment))
    found = next(op for op in augment.ops if op.name == name)
    found.prob, found.magnitude_std = 1.0, 0
    return found


def test_posterize_to_0_bits_is_black() -> None:
    posterize = operation("PosterizeIncreasing")
    posterize.magnitude = 10
    assert posterize(picture()).getextrema() == ((0, 0),) * 3


@pytest.mark.parametrize(("magnitude", "bits"), [(0, 4), (5, 2), (9, 1)])
def test_posterize_to_more_bits_equals_pillow(magnitude: int, bits: int) -> None:
    posterize = operation("PosterizeIncreasing")
    posterize.magnitude = magnitude
    assert posterize(picture()) == ImageOps.posterize(picture(), bits)


@pytest.mark.parametrize("string", ["rand-m10-n9-p1-mstd0.5-inc1", "rand-m0-n9-p1", "rand-m9-t3a"])
def test_strongest_rand_augment_strings_work(string: str) -> None:
    transform = train_transform(replace(OFFICIAL, rand_augment=string))
    assert {transform(picture()).shape for _ in range(40)} == {(3, 32, 32)}
