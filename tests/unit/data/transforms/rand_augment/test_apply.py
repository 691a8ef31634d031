"""Each operation has the levels of timm and Pillow, alone and in a batch with others."""

from functools import partial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from timm.data import auto_augment
from timm.data.auto_augment import AugmentOp

from clip_hparam.data.transforms.rand_augment.apply import apply_operations
from clip_hparam.data.transforms.rand_augment.draws import sample_operations
from clip_hparam.data.transforms.rand_augment.operations import OPERATIONS, Kind
from clip_hparam.data.transforms.rand_augment.policy import parse_policy
from clip_hparam.data.transforms.timm_pipeline import posterize

FILL = (123, 117, 104)
MOVING = [name for name, operation in OPERATIONS.items() if operation.kind >= Kind.SHEAR_X]
COLOURING = [name for name in OPERATIONS if name not in MOVING]
LEVELS = (0.0, 0.7, 3.3, 5.0, 9.2, 10.0, 30.0)
Levels = NDArray[np.uint8]


def images(count: int, channels: int, side: int) -> Levels:
    """Return noise, dim gradients and images of a single level."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (count, channels, side, side))
    noise[1::3] = np.linspace(20, 200, side)[:, None] + noise[1::3] // 12
    noise[2::3] = noise[2::3, :, :1, :1]
    return noise.astype(np.uint8)


def timms(
    name: str, level: float, interpolation: str, pictures: Levels, monkeypatch: pytest.MonkeyPatch
) -> Levels:
    """Return what timm makes of RGB images, with negative and positive arguments in turn."""
    resample = Image.Resampling[interpolation.upper()]
    operation = AugmentOp(name, 1.0, level, {"img_mean": FILL, "interpolation": resample})
    operation.magnitude_max = 30
    if name.startswith("Posterize"):
        operation.aug_fn = partial(posterize, operation.aug_fn)
    results = []
    for place, picture in enumerate(pictures):
        monkeypatch.setattr(auto_augment, "_randomly_negate", lambda x, s=(-1) ** place: s * x)
        opened = Image.fromarray(np.moveaxis(picture, 0, 2).squeeze()).convert("RGB")
        results.append(np.moveaxis(np.array(operation(opened)), 2, 0))
    return np.stack(results)


def ours(name: str, level: float, interpolation: str, pictures: Levels) -> Levels:
    kind, argument = OPERATIONS[name]
    signs = (-1.0) ** np.arange(len(pictures))
    arguments = argument(np.full(len(pictures), level), signs)[:, None]
    kinds = np.full((len(pictures), 1), int(kind))
    result = apply_operations(torch.from_numpy(pictures), kinds, arguments, FILL, interpolation)
    return result.numpy()


@pytest.mark.parametrize("side", [8, 33])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", COLOURING)
def test_colours_have_the_bits_of_timm(
    name: str, channels: int, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = images(6, channels, side)
    for level in LEVELS:
        expected = timms(name, level, "bicubic", pictures, monkeypatch)
        np.testing.assert_array_equal(ours(name, level, "bicubic", pictures), expected)


@pytest.mark.parametrize("side", [8, 33])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("name", MOVING)
def test_moved_images_differ_from_timm_by_one_level_at_most(
    name: str, interpolation: str, channels: int, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A difference is where Pillow's float64 and our float32 are on two sides of a whole level."""
    pictures = images(6, channels, side)
    for level in LEVELS:
        expected = timms(name, level, interpolation, pictures, monkeypatch).astype(int)
        difference = np.abs(ours(name, level, interpolation, pictures) - expected)
        assert difference.max() <= 1
        assert difference.mean() < 0.05


def test_outside_of_a_moved_grey_image_is_the_fill_colour() -> None:
    moved = ours("TranslateXRel", 10.0, "bicubic", images(2, 1, 20))
    np.testing.assert_array_equal(moved[0, :, :, -1], np.tile(FILL, (20, 1)).T)
    np.testing.assert_array_equal(moved[1, :, :, 0], np.tile(FILL, (20, 1)).T)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("string", ["rand-m9-mstd0.5-inc1-n4-p1", "rand-m9-t3aw-n9-p0.9"])
def test_image_of_a_batch_is_the_image_alone(string: str, channels: int) -> None:
    pictures = torch.from_numpy(images(40, channels, 12))
    kinds, arguments = sample_operations(parse_policy(string), 0, 0, 40)
    batch = apply_operations(pictures, kinds, arguments, FILL, "bicubic")
    alone = [
        apply_operations(pictures[[i]], kinds[[i]], arguments[[i]], FILL, "bicubic")
        for i in range(40)
    ]
    assert torch.equal(batch, torch.cat(alone))


def test_operations_are_applied_in_the_order_of_the_layers() -> None:
    picture = torch.from_numpy(images(1, 3, 9))
    orders = [[Kind.INVERT, Kind.SOLARIZE], [Kind.SOLARIZE, Kind.INVERT]]
    first, second = (
        apply_operations(picture, np.array([order]), np.array([[60.0, 60.0]]), FILL, "bicubic")
        for order in orders
    )
    inverted = 255 - picture
    assert torch.equal(first, torch.where(inverted < 60, inverted, 255 - inverted))
    assert not torch.equal(first, second)


def test_grey_images_are_treated_as_the_same_images_in_three_channels() -> None:
    grey = torch.from_numpy(images(60, 1, 12))
    drawn = sample_operations(parse_policy("rand-m9-mstd0.5-inc1-n3"), 0, 0, 60)
    one, three = (
        apply_operations(grey.repeat(1, repeats, 1, 1), *drawn, FILL, "bicubic")
        for repeats in (1, 3)
    )
    assert torch.equal(one, three)


def test_images_of_the_caller_are_not_changed() -> None:
    pictures = torch.from_numpy(images(20, 3, 12))
    before = pictures.clone()
    drawn = sample_operations(parse_policy("rand-m9-p1"), 0, 0, 20)
    assert not torch.equal(apply_operations(pictures, *drawn, FILL, "bicubic"), before)
    assert torch.equal(pictures, before)
