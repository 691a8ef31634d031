"""Both backends yield the right images with the right targets in the right order."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from clip_hparam.config.recipe import Data, Encoder, Recipe
from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import SELECTION, TEST, EvalSet, ImageDataset
from clip_hparam.data.loading import pipelines
from clip_hparam.data.transforms.batch_augmentation import TensorAugmentation
from clip_hparam.distributed import DistributedContext
from clip_hparam.rng import sampling_order

BACKENDS = ("tensor", "timm")
PLAIN = Recipe(
    encoder=Encoder(pixels="clip"),
    resolution=16,
    batch_size=20,
    label_smoothing=0.0,
    crop_scale=1.0,
    hflip=0.0,
    augment_backend="tensor",
    mix_pairs="mirrored",
    data=Data(name="digits", shots=0, selection=5, epoch_images=70),
)
ROUGH = replace(
    PLAIN, crop_scale=0.3, hflip=0.5, random_erasing=0.5, color_jitter=0.3, mixup=0.8, cutmix=1.0
)


ADJACENT = replace(ROUGH, mix_pairs="adjacent", batch_size=16)


def grey_dataset() -> ImageDataset:
    """Return a data set of uniformly grey images; the grey level encodes the class."""
    labels = np.repeat(np.arange(3), 30)[np.random.default_rng(0).permutation(90)]
    pixels = np.broadcast_to((80 * labels).astype(np.uint8)[:, None, None, None], (90, 1, 8, 8))
    test = EvalSet(pixels[:40].copy(), labels[:40])
    return ImageDataset(("a", "b", "c"), pixels.copy(), labels, {TEST: test}, "even")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def batches(recipe: Recipe, backend: str, **knobs: object) -> Batches:
    return Batches(replace(recipe, augment_backend=backend, **knobs), grey_dataset())  # type: ignore[arg-type]


def seen(images: Tensor) -> list[int]:
    """Return the class that the grey level of each image encodes."""
    return images[:, 0].mean(dim=(1, 2)).sub(images[:, 0].min()).mul(0.86).round().int().tolist()


def same(some: Iterator[tuple[Tensor, Tensor]], others: Iterator[tuple[Tensor, Tensor]]) -> bool:
    pairs = list(zip(some, others, strict=True))
    return all(torch.equal(a, b) for pair in pairs for a, b in zip(*pair, strict=True))


def test_epoch_yields_whole_batches_with_matching_labels(backend: str) -> None:
    steps = list(batches(PLAIN, backend).train(0))
    assert len(steps) == batches(PLAIN, backend).steps == 3
    for images, targets in steps:
        assert images.shape == (20, 3, 16, 16)
        assert images.dtype == torch.float32
        assert seen(images) == targets.argmax(dim=1).tolist()


def test_epoch_can_start_at_any_step(backend: str) -> None:
    read = batches(ROUGH, backend)
    for first in range(4):
        assert same(read.train(2, first), iter(list(read.train(2))[first:]))


def test_batches_are_a_function_of_seed_and_epoch(backend: str) -> None:
    read = batches(ROUGH, backend)
    assert same(read.train(1), batches(ROUGH, backend).train(1))
    assert not same(read.train(1), read.train(0))
    assert not same(read.train(1), batches(ROUGH, backend, seed=1).train(1))


def test_each_position_of_an_epoch_has_its_own_augmentation(backend: str) -> None:
    read = batches(replace(PLAIN, random_erasing=1.0), backend).train(0)
    images = torch.cat([images for images, _ in read])
    assert len({image.numpy().tobytes() for image in images}) == len(images)


def test_epoch_can_be_longer_than_the_training_set(backend: str) -> None:
    longer = replace(PLAIN.data, epoch_images=200)
    steps = list(batches(PLAIN, backend, data=longer).train(0))
    assert len(steps) == 10
    assert all(seen(images) == targets.argmax(1).tolist() for images, targets in steps)


@pytest.mark.parametrize(
    ("recipe", "world"),
    [
        *((recipe, world) for recipe in (PLAIN, ROUGH) for world in (2, 4, 5)),
        *((ADJACENT, world) for world in (1, 2, 4)),
    ],
)
def test_concatenated_rows_of_all_ranks_equal_the_batch(
    backend: str, recipe: Recipe, world: int
) -> None:
    recipe = replace(recipe, augment_backend=backend)
    shares = [
        Batches(recipe, grey_dataset(), context=DistributedContext(rank, world))
        for rank in range(world)
    ]
    parts = zip(*(share.train(1, 1) for share in shares), strict=True)
    whole = [tuple(torch.cat(column) for column in zip(*step, strict=True)) for step in parts]
    assert len(whole) == shares[0].steps - 1
    assert same(iter(whole), batches(recipe, backend).train(1, 1))  # type: ignore[arg-type]


def test_rank_reads_only_its_rows_and_their_mixing_partners() -> None:
    read: list[int] = []
    for recipe, images in ((PLAIN, 5), (ROUGH, 10), (ADJACENT, 4)):
        share = Batches(recipe, grey_dataset(), context=DistributedContext(1, 4))
        inner = share._pipeline.train_batches
        share._pipeline.train_batches = lambda *given, inner=inner: (  # type: ignore[method-assign]
            read.append(given[-1].shape[1]) or inner(*given)
        )
        assert len(next(share.train(0))[0]) == recipe.batch_size // 4
        assert read[-1] == images


def test_evaluation_yields_each_image_once_with_its_label(backend: str) -> None:
    read = batches(PLAIN, backend)
    for split, count in ((read.evaluation(SELECTION), 15), (read.evaluation(TEST), 40)):
        images, labels = (torch.cat(parts) for parts in zip(*split, strict=True))
        assert len(labels) == count
        assert seen(images) == labels.tolist()


def test_rank_without_a_batch_evaluates_nothing(backend: str) -> None:
    recipe = replace(PLAIN, augment_backend=backend)
    share = Batches(recipe, grey_dataset(), context=DistributedContext(1, 2))  # type: ignore[arg-type]
    assert list(share.evaluation(TEST)) == []


def test_evaluation_does_not_depend_on_augmentation(backend: str) -> None:
    rough, plain = batches(ROUGH, backend), batches(PLAIN, backend)
    assert same(rough.evaluation(SELECTION), plain.evaluation(SELECTION))
    assert same(rough.evaluation(TEST), plain.evaluation(TEST))


def test_evaluation_accepts_another_resolution(backend: str) -> None:
    images, _ = next(batches(PLAIN, backend).evaluation(TEST, 24))
    assert images.shape[2:] == (24, 24)


@pytest.mark.parametrize(("limit", "times"), [(pipelines.MAX_KEPT_BYTES, 1), (10_000, 2)])
def test_evaluation_resizes_again_only_what_exceeds_the_limit(
    monkeypatch: pytest.MonkeyPatch, limit: int, times: int
) -> None:
    resized: list[int] = []
    resize = TensorAugmentation.centred

    def spy(augment: TensorAugmentation, images: Tensor, resolution: int) -> Tensor:
        resized.append(len(images))
        return resize(augment, images, resolution)

    monkeypatch.setattr(TensorAugmentation, "centred", spy)
    monkeypatch.setattr(pipelines, "MAX_KEPT_BYTES", limit)  # the test set takes 10,240 bytes
    read = batches(PLAIN, "tensor")
    first = list(read.evaluation(TEST))
    assert same(iter(first), read.evaluation(TEST))
    assert resized == [40] * times
    list(read.evaluation(TEST, 8))
    assert resized == [40] * (times + 1)


def test_mixed_targets_still_sum_to_one(backend: str) -> None:
    for _, targets in batches(ROUGH, backend, label_smoothing=0.1).train(0):
        torch.testing.assert_close(targets.sum(dim=1), torch.ones(20))
        assert (targets > 0.05).sum(dim=1).float().mean() > 1


def test_backends_agree_without_augmentation() -> None:
    recipe = replace(PLAIN, label_smoothing=0.1)
    both = (batches(recipe, name).train(0) for name in BACKENDS)
    for (ours, targets), (theirs, their_targets) in zip(*both, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=2.01 / 255 / 0.26)
        assert torch.equal(targets, their_targets)


def test_the_order_of_the_images_differs_from_epoch_to_epoch_and_by_seed() -> None:
    orders = [sampling_order(seed, epoch, 50, 50).tolist() for seed in (0, 1) for epoch in (0, 1)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len(set(map(tuple, orders))) == 4
