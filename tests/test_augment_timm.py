"""The timm backend: FT-CLIP's pipeline, seeded for each image, in this process or in workers."""

import multiprocessing
import random
from dataclasses import replace
from pathlib import Path

import image_trees
import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from timm.data import create_transform
from timm.data.auto_augment import AugmentOp, RandAugment
from torch import Tensor

from clip_hparam.augment import MEAN, STD
from clip_hparam.augment_timm import (
    Imagewise,
    UnreadableImageError,
    plain_transform,
    train_transform,
)
from clip_hparam.images import Files, Images
from clip_hparam.recipe import Recipe
from clip_hparam.trees import imagenet

OFFICIAL = Recipe(
    resolution=32,
    hflip=0.5,
    rand_augment="rand-m9-mstd0.5-inc1",
    random_erasing=0.25,
    augment_backend="timm",
)


def picture(side: int = 40) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Images:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    return imagenet(image_trees.imagenet(tmp_path / "images", train=15)).pool


def epoch(
    images: Images, workers: int = 0, first: int = 0, seed: int = 0, index: int = 0
) -> Tensor:
    reader = Imagewise(replace(OFFICIAL, seed=seed), workers)
    read = reader.train(images, index, np.arange(45)[::-1].copy(), 20, first)
    return torch.stack(list(read))


def test_the_pipeline_is_what_create_transform_builds_for_ft_clip() -> None:
    official = create_transform(
        32,
        is_training=True,
        color_jitter=0.4,  # inert there beside RandAugment
        auto_augment="rand-m9-mstd0.5-inc1",
        interpolation="bicubic",
        re_prob=0.25,
        re_mode="pixel",
        re_count=1,
        mean=MEAN,
        std=STD,
    )
    assert str(train_transform(OFFICIAL)) == str(official)


def test_colour_jitter_is_applied_beside_rand_augment() -> None:
    steps = str(train_transform(replace(OFFICIAL, color_jitter=0.4)))
    assert "ColorJitter(brightness=(0.6" in steps
    assert steps.index("RandAugment") < steps.index("ColorJitter") < steps.index("ToTensor")


def test_an_evaluation_crops_nothing() -> None:
    assert "size=32" in str(plain_transform(32, "bicubic"))
    assert plain_transform(32, "bicubic")(picture(32)).shape == (3, 32, 32)


def operation(name: str, recipe: Recipe = OFFICIAL) -> AugmentOp:
    """One operation of the recipe's RandAugment, always applied."""
    steps = train_transform(recipe).transforms  # type: ignore[attr-defined]
    augment = next(step for step in steps if isinstance(step, RandAugment))
    found = next(op for op in augment.ops if op.name == name)
    found.prob, found.magnitude_std = 1.0, 0
    return found


def test_posterize_to_no_bits_is_black_as_in_older_pillow() -> None:
    posterize = operation("PosterizeIncreasing")
    posterize.magnitude = 10
    assert posterize(picture()).getextrema() == ((0, 0),) * 3


@pytest.mark.parametrize(("magnitude", "bits"), [(0, 4), (5, 2), (9, 1)])
def test_posterize_to_some_bits_is_pillows_own(magnitude: int, bits: int) -> None:
    posterize = operation("PosterizeIncreasing")
    posterize.magnitude = magnitude
    assert posterize(picture()) == ImageOps.posterize(picture(), bits)


@pytest.mark.parametrize("string", ["rand-m10-n9-p1-mstd0.5-inc1", "rand-m0-n9-p1", "rand-m9-t3a"])
def test_the_strongest_strings_go_through(string: str) -> None:
    recipe = replace(OFFICIAL, rand_augment=string)
    images = np.zeros((40, 1, 8, 8), np.uint8)
    batches = list(Imagewise(recipe, 0).train(images, 0, np.arange(40), 40, 0))
    assert batches[0].shape == (40, 3, 32, 32)


def test_two_workers_read_what_none_reads_bit_for_bit(files: Images) -> None:
    assert torch.equal(epoch(files, workers=2), epoch(files, workers=0))


def test_an_image_is_a_function_of_seed_epoch_and_position(files: Images) -> None:
    assert torch.equal(epoch(files), epoch(files))
    assert torch.equal(epoch(files, first=1), epoch(files)[1:])
    assert not torch.equal(epoch(files), epoch(files, seed=1))
    assert not torch.equal(epoch(files), epoch(files, index=1))


def test_the_same_image_differs_by_position() -> None:
    images = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8)
    batch = next(Imagewise(OFFICIAL, 0).train(images, 0, np.zeros(10, int), 10, 0))
    assert len({image.numpy().tobytes() for image in batch}) == 10


def test_the_global_generators_are_left_as_they_were(files: Images) -> None:
    def states() -> tuple[object, bytes, bytes]:
        legacy = np.random.get_state()[1]  # noqa: NPY002
        return random.getstate(), legacy.tobytes(), torch.get_rng_state().numpy().tobytes()

    before = states()
    epoch(files)
    assert states() == before


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("damage", ["text", "cut", "empty", "gone"])
def test_an_unreadable_image_is_an_error_that_names_it(
    files: Files, workers: int, damage: str
) -> None:
    path = files.path(30)
    content = path.read_bytes()
    path.write_bytes({"text": b"no image", "cut": content[:200]}.get(damage, b""))
    if damage == "gone":
        path.unlink()
    with pytest.raises(UnreadableImageError, match="cannot be read as an image") as error:
        epoch(files, workers)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert not multiprocessing.active_children()


def test_grey_and_transparent_files_come_in_three_channels(tmp_path: Path) -> None:
    for mode in ("L", "RGBA", "1", "P", "CMYK"):
        Image.new(mode, (20, 30)).save(tmp_path / f"{mode}.tif")
    paths = sorted(path.name.encode() for path in tmp_path.iterdir())
    images = Files(tmp_path, np.array(paths, np.bytes_))
    batch = next(Imagewise(OFFICIAL, 0).plain(images, np.arange(len(paths)), 8, 32))
    assert batch.shape == (5, 3, 32, 32)
