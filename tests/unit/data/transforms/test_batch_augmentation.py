"""The tensor backend is a function of (seed, epoch, position) and has timm's operations."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, ks_2samp
from support.pipelines import pipeline
from torch import Tensor
from torchvision.transforms import ColorJitter

from clip_hparam.config.recipe import Recipe
from clip_hparam.data.dataset import TRAIN
from clip_hparam.data.transforms.batch_augmentation import AugmentParams, TensorAugmentation
from clip_hparam.data.transforms.colours import JITTER_ORDERS
from clip_hparam.model.normalization import CLIP_MEAN, CLIP_STD
from clip_hparam.planning.resolve import resolve

PX = 16
RANDOM = "rand-m9-mstd0.5-inc1"
EVERYTHING = TensorAugmentation(PX, 0.5, 0.5, 0.4, 0.5, "bicubic", "clip", RANDOM)
NOTHING = TensorAugmentation(PX, 1.0, 0.0, 0.0, 0.0, "bicubic", "clip")
FIELDS = ("crop", "flipped", "order", "factors", "erased", "noise", "operations", "arguments")


def digits(count: int, channels: int = 1, side: int = 8) -> Tensor:
    generator = np.random.default_rng(0)
    return torch.from_numpy(generator.integers(0, 256, (count, channels, side, side), np.uint8))


def augmented(augment: TensorAugmentation, images: Tensor, params: AugmentParams) -> Tensor:
    return augment.finish(augment.crop(images, params), params)


def evaluated(images: Tensor) -> Tensor:
    return NOTHING.normalized(NOTHING.centred(images, PX))


def levels(pixels: Tensor) -> Tensor:
    mean, std = (torch.tensor(values)[:, None, None] for values in (CLIP_MEAN, CLIP_STD))
    return 255 * (pixels * std + mean)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [1, 7, 20, 50])
def test_slices_of_a_batch_equal_the_whole_batch(size: int, channels: int) -> None:
    images, draws = digits(50, channels), EVERYTHING.sample_params(0, 0, 50, (8, 8))
    cuts = [slice(start, start + size) for start in range(0, 50, size)]
    sliced = torch.cat([augmented(EVERYTHING, images[rows], draws[rows]) for rows in cuts])
    assert torch.equal(sliced, augmented(EVERYTHING, images, draws))


@pytest.mark.parametrize("field", FIELDS)
def test_params_are_a_function_of_seed_epoch_and_position(field: str) -> None:
    def drawn(seed: int, epoch: int, images: int = 60) -> Tensor:
        table: Tensor = getattr(EVERYTHING.sample_params(seed, epoch, images, (8, 8)), field)
        return table

    assert torch.equal(drawn(0, 0), drawn(0, 0))
    assert torch.equal(drawn(0, 0)[:20], drawn(0, 0, 20))
    assert not torch.equal(drawn(0, 0), drawn(1, 0))
    assert not torch.equal(drawn(0, 0), drawn(0, 1))


@pytest.mark.parametrize("knob", ["crop_scale", "hflip", "color_jitter", "random_erasing"])
def test_operation_does_not_change_the_params_of_another(knob: str) -> None:
    other = replace(EVERYTHING, **{knob: 0.9}).sample_params(0, 0, 40, (8, 8))
    before = EVERYTHING.sample_params(0, 0, 40, (8, 8))
    own = {"crop_scale": "crop", "hflip": "flipped", "color_jitter": "factors"}
    moved = {f for f in FIELDS if not torch.equal(getattr(before, f), getattr(other, f))}
    assert moved == {own.get(knob, "erased")}


def test_without_augmentation_training_images_equal_evaluation_images() -> None:
    images = digits(20)
    seen = augmented(NOTHING, images, NOTHING.sample_params(0, 0, 20, (8, 8)))
    assert torch.equal(seen, evaluated(images))


def test_hflip_mirrors_the_image() -> None:
    images, mirror = digits(20), replace(NOTHING, hflip=1.0)
    seen = augmented(mirror, images, mirror.sample_params(0, 0, 20, (8, 8)))
    assert torch.equal(seen, evaluated(images).flip(3))


@pytest.mark.parametrize("side", [8, 16, 30])
@pytest.mark.parametrize("channels", [1, 3])
def test_evaluation_images_equal_those_of_timm(side: int, channels: int) -> None:
    recipe, images = resolve(Recipe(resolution=PX)), digits(5, channels, side).numpy()
    every = np.arange(5)
    ours, theirs = (
        torch.cat(list(pipeline(name, recipe, images).eval_batches(TRAIN, every, 2, PX)))
        for name in ("tensor", "timm")
    )
    assert (levels(ours) - levels(theirs)).abs().max() < 2.01


def test_grey_stays_grey_in_one_and_in_three_channels() -> None:
    calm = replace(EVERYTHING, random_erasing=0.0, rand_augment="none")
    images, draws = digits(30), calm.sample_params(0, 0, 30, (8, 8))
    one, three = (augmented(calm, pixels, draws) for pixels in (images, images.repeat(1, 3, 1, 1)))
    torch.testing.assert_close(one, three, rtol=0, atol=1e-4)
    grey = levels(one)
    torch.testing.assert_close(grey, grey[:, :1].expand(-1, 3, -1, -1), rtol=0, atol=1e-3)


@pytest.mark.parametrize(("hflip", "share"), [(0.0, 0.0), (0.3, 0.3), (1.0, 1.0)])
def test_share_of_mirrored_images_is_hflip(hflip: float, share: float) -> None:
    flipped = replace(EVERYTHING, hflip=hflip).sample_params(0, 0, 3000, (8, 8)).flipped
    assert float(flipped.float().mean()) == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_share_of_erased_images_is_random_erasing(share: float) -> None:
    erased = replace(EVERYTHING, random_erasing=share).sample_params(0, 0, 3000, (8, 8)).erased
    assert float((erased[:, 2] > 0).float().mean()) == pytest.approx(share, abs=0.03)


def test_erasing_fills_only_its_box_with_unit_normal_noise() -> None:
    erasing = replace(NOTHING, random_erasing=1.0)
    images, draws = digits(200), erasing.sample_params(0, 0, 200, (8, 8))
    before, after = (augmented(one, images, draws) for one in (NOTHING, erasing))
    filled = []
    for image, (top, left, tall, wide) in enumerate(draws.erased.tolist()):
        box = (slice(None), slice(top, top + tall), slice(left, left + wide))
        filled.append(after[image][box].flatten().clone())
        after[image][box] = before[image][box]
    noise = torch.cat(filled)
    assert torch.equal(before, after)
    assert float(noise.mean()) == pytest.approx(0, abs=0.05)
    assert float(noise.std()) == pytest.approx(1, abs=0.05)


def test_orders_of_jitter_are_equally_frequent_as_in_timm() -> None:
    params = EVERYTHING.sample_params(0, 0, 6000, (8, 8))
    _, counts = params.order.unique(dim=0, return_counts=True)
    assert len(counts) == len(JITTER_ORDERS)
    assert chisquare(counts.numpy()).pvalue > 1e-3


def test_factors_of_jitter_have_the_distribution_of_timm() -> None:
    torch.manual_seed(0)
    theirs = torch.tensor(
        [ColorJitter.get_params([0.6, 1.4], [0.6, 1.4], [0.6, 1.4], None)[1:4] for _ in range(3000)]
    )
    ours = EVERYTHING.sample_params(0, 0, 3000, (8, 8)).factors
    for column in range(3):
        assert ks_2samp(ours[:, column], theirs[:, column]).pvalue > 1e-3


def test_params_after_the_crop_do_not_depend_on_the_size_of_the_images() -> None:
    known, unknown = (EVERYTHING.sample_params(0, 0, 50, size) for size in ((8, 8), None))
    assert unknown.crop is None
    assert unknown.tables.keys() == known.tables.keys() - {"crop"}
    assert all(torch.equal(table, known.tables[name]) for name, table in unknown.tables.items())


def test_params_of_some_positions_are_those_of_the_epoch() -> None:
    rows = np.array([3, 1, 40, 41])
    whole, some = (EVERYTHING.sample_params(0, 0, 50, (8, 8), *own) for own in ((), (rows,)))
    assert all(torch.equal(table, whole.tables[name][rows]) for name, table in some.tables.items())


def test_flip_mirrors_the_images_that_it_is_drawn_for() -> None:
    images, params = digits(40, 3, PX), EVERYTHING.sample_params(0, 0, 40, None)
    flipped = EVERYTHING.flip(images.clone(), params)
    for image, result, mirrored in zip(images, flipped, params.flipped.tolist(), strict=True):
        assert torch.equal(result, image.flip(2) if mirrored else image)


@pytest.mark.parametrize("string", ["none", RANDOM])
@pytest.mark.parametrize("pixels", [1, 20 * PX * PX, 10**9])
def test_batches_in_groups_equal_single_batches(
    pixels: int, string: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clip_hparam.data.transforms.batch_augmentation.PIXELS_AT_ONCE", pixels)
    augment = replace(EVERYTHING, rand_augment=string)
    params = augment.sample_params(0, 0, 45, (8, 8))
    crops = augment.crop(digits(45), params)
    rows = [slice(start, start + 9) for start in range(0, 45, 9)]
    batches = list(augment.finish_batches((crops[part] for part in rows), params))
    assert [len(batch) for batch in batches] == [9] * 5
    for part, batch in zip(rows, batches, strict=True):
        assert torch.equal(batch, augment.finish(crops[part], params[part]))
