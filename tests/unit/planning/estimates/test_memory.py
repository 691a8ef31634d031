"""Predicted memory equals what fake tensors count, and the micro-batch that follows fits."""

from types import SimpleNamespace
from typing import Any

import pytest
from support.fake_gpu import peak_bytes_of_image, saved_bytes_of_image

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.planning.estimates import memory
from clip_hparam.planning.estimates.flops import trainable_and_frozen
from clip_hparam.planning.estimates.memory import (
    CARDS_GB,
    MemoryEstimate,
    card_bytes,
    describe_memory,
    fitting_micro_batch,
    predict_memory,
)
from clip_hparam.planning.estimates.throughput import DEVICES

TOWERS = [
    ("ViT-B-16-quickgelu", 224),
    ("ViT-B-16-quickgelu", 384),
    ("ViT-L-14-quickgelu", 224),
    ("ViT-L-14-quickgelu", 336),
    ("tiny", 32),
]
OPTIONS: dict[str, dict[str, Any]] = {
    "patch projection": {"what": "none"},
    "half frozen": {"what": "first_6"},
    "class token": {"pool": "cls"},
    "activation checkpointing": {"activation_checkpointing": True},
}
MB_OF_IMAGE = {224: {768: 81, 1024: 281}, 384: {768: 239}, 336: {1024: 630}}
"""Counted for bf16 and reference kernels before this module existed."""


def recipe_of(encoder: str, resolution: int, **knobs: Any) -> ResolvedRecipe:
    return Recipe(
        encoder=Encoder(name=encoder, pretrained="random"), resolution=resolution, **knobs
    )


@pytest.mark.parametrize("kernels", ["reference", "fused"])
@pytest.mark.parametrize(
    ("encoder", "resolution", "precision"),
    [
        *((*tower, "bf16") for tower in TOWERS),
        *((*tower, "fp32") for tower in (TOWERS[0], TOWERS[4])),
    ],
)
def test_saved_bytes_are_those_of_fake_tensors(
    encoder: str, resolution: int, kernels: str, precision: str
) -> None:
    estimate = predict_memory(
        recipe_of(encoder, resolution, precision=precision), Machine(kernels=kernels), 1000
    )
    counted = saved_bytes_of_image(encoder, resolution, kernels=kernels, precision=precision)
    assert estimate.saved == pytest.approx(counted, rel=0.05)


@pytest.mark.parametrize(
    ("encoder", "resolution", "width"), [(*TOWERS[0], 768), (*TOWERS[3], 1024)]
)
def test_saved_bytes_are_those_of_the_review(encoder: str, resolution: int, width: int) -> None:
    recipe = recipe_of(encoder, resolution, precision="bf16")
    estimate = predict_memory(recipe, Machine(kernels="reference"), 1000)
    assert estimate.saved / 1e6 == pytest.approx(MB_OF_IMAGE[resolution][width], rel=0.1)


@pytest.mark.parametrize("kernels", ["reference", "fused"])
@pytest.mark.parametrize("name", OPTIONS)
def test_saved_bytes_follow_the_options(name: str, kernels: str) -> None:
    given = dict(OPTIONS[name])
    counted = saved_bytes_of_image(*TOWERS[0], kernels=kernels, precision="bf16", **given)
    machine = Machine(
        kernels=kernels, activation_checkpointing=given.pop("activation_checkpointing", False)
    )
    knobs = {"freeze": given.pop("what", "patch"), **given}
    estimate = predict_memory(recipe_of(*TOWERS[0], precision="bf16", **knobs), machine, 1000)
    assert estimate.saved == pytest.approx(counted, rel=0.05)


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize(("encoder", "resolution"), [TOWERS[0], TOWERS[3]])
def test_peak_of_forward_and_backward_is_predicted(
    encoder: str, resolution: int, checkpointing: bool
) -> None:
    machine = Machine(activation_checkpointing=checkpointing)
    estimate = predict_memory(recipe_of(encoder, resolution), machine, 1000)
    counted = peak_bytes_of_image(encoder, resolution, activation_checkpointing=checkpointing)
    assert estimate.image == pytest.approx(counted, rel=0.1)


def test_fixed_bytes_are_weights_ema_moments_and_gradients() -> None:
    recipe = recipe_of(*TOWERS[0], ema_decay=0.9998, precision="fp16")
    trained, frozen = 85_978_600, 589_824  # of the published run
    expected = 4 * (2 * (trained + frozen) + 3 * trained) + 2 * (trained + frozen)
    assert predict_memory(recipe, Machine(), 1000).fixed == expected
    head_alone = predict_memory(recipe_of(*TOWERS[0], freeze="backbone"), Machine(), 1000)
    assert head_alone.fixed < 4 * (trained + frozen) * 1.1
    assert head_alone.saved < 1e5


def test_low_rank_updates_save_moments_and_gradients_and_hold_the_updated_matrices() -> None:
    recipe = recipe_of(*TOWERS[0], tune="lora", lora_rank=8)
    matrices, new_layers = 12 * 12 * 768**2, 768 * 1000 + 1000 + 2 * 768
    updates = 12 * 8 * ((3 + 1 + 4 + 1) * 768 + (1 + 1 + 1 + 4) * 768)
    trained, frozen = trainable_and_frozen(recipe, 1000)
    assert trained == updates + new_layers
    full = trainable_and_frozen(recipe_of(*TOWERS[0]), 1000)
    assert trained + frozen == sum(full) + updates
    expected = 4 * (trained + frozen + 3 * trained + matrices)
    assert predict_memory(recipe, Machine(), 1000).fixed == expected


def test_peak_of_an_image_with_low_rank_updates_is_predicted() -> None:
    estimate = predict_memory(recipe_of(*TOWERS[0], tune="lora"), Machine(), 1000)
    counted = peak_bytes_of_image(*TOWERS[0], lora_rank=8)
    assert estimate.image == pytest.approx(counted, rel=0.1)


@pytest.mark.parametrize(
    ("free", "rows", "is_even", "expected"),
    [
        (10_000, 64, False, 64),  # all fit
        (976, 64, False, 64),
        (975, 64, False, 32),
        (700, 60, False, 30),
        (250, 60, False, 6),
        (250, 35, False, 7),
        (250, 35, True, 7),  # an odd batch has no even divisor
        (140, 60, True, None),
        (140, 60, False, 1),
        (100, 60, False, None),
    ],
)
def test_micro_batch_is_the_largest_divisor_that_fits(
    free: int, rows: int, is_even: bool, expected: int | None
) -> None:
    estimate = MemoryEstimate(fixed=110, saved=8, working=4)  # 90 % of the free bytes are used
    assert fitting_micro_batch(estimate, free, rows, is_even) == expected


def test_every_card_has_a_memory() -> None:
    assert CARDS_GB.keys() == DEVICES.keys()
    assert card_bytes("A100") == 39 * 10**9


@pytest.mark.parametrize(
    ("machine", "ranks", "end"),
    [
        (Machine(), 1, "128 of 2048 images at once fit an A100 of 40 GB"),
        (Machine(), 8, "128 of 256 images at once fit an A100 of 40 GB"),
        (Machine(micro_batch=512), 8, "64 of 256 images at once fit an A100 of 40 GB"),
        (Machine(device_name="V100"), 8, "32 of 256 images at once fit a V100 of 16 GB"),
        (
            Machine(micro_batch=0),
            8,
            "256 images at once do not fit an A100 of 40 GB: try machine.micro_batch=1024, or auto",
        ),
    ],
)
def test_description_names_card_and_micro_batch(
    machine: Machine, ranks: int, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = SimpleNamespace(classes=range(1000))
    monkeypatch.setattr(memory, "load_dataset", lambda data: classes)
    recipe = recipe_of(*TOWERS[2], batch_size=2048, precision="fp16", ema_decay=0.9998)
    size = "209 MB an image and 6.69 GB fixed on a GPU"
    assert describe_memory(recipe, machine, ranks) == f"{size}: {end}"


def test_description_of_a_trial_that_no_card_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "load_dataset", lambda data: SimpleNamespace(classes=range(9)))
    recipe = recipe_of("ViT-bigG-14", 224, batch_size=8, ema_decay=0.9)
    assert describe_memory(recipe, Machine(), 1).endswith("no image fits an A100 of 40 GB")
