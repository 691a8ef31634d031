"""describe() gives the numbers of the built model; lint() names probable mistakes."""

from dataclasses import replace

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from clip_hparam.config.recipe import Data, Encoder, Recipe
from clip_hparam.model.architectures import model_config, shape_of
from clip_hparam.model.classifier import Classifier, count_parameters, freeze, set_resolution
from clip_hparam.model.tower import create_tower
from clip_hparam.planning.describe import (
    describe,
    ema_half_life_steps,
    layer_lrs,
    lint,
    mean_block_lr,
)
from clip_hparam.planning.estimates import flops
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.optim.param_groups import param_groups

CLASSES = 7
SHAPES = [
    ("tiny", "patch_mean"),
    ("tiny", "cls"),
    ("tiny", "clip"),
    ("ViT-B-32", "clip"),
    ("ViT-M-16-alt", "patch_mean"),  # layer scale
    ("ViT-L-14-CLIPA", "cls"),  # no ln_pre
]
GOOD = Recipe(
    lr=6e-3,
    layer_decay=0.65,
    ema_decay="auto",
    data=Data(shots=20, selection=10, epoch_images=750),
)
B16 = replace(
    resolve(GOOD),
    lr=6e-4,
    layer_decay=0.6,
    ema_decay=0.9998,
    batch_size=2048,
    epochs=50,
    resolution=224,
    encoder=Encoder("ViT-B-16-quickgelu", "random", "random"),
    data=Data(epoch_images=1_281_167),
)


def built(recipe: Recipe, device: str = "meta") -> Classifier:
    with torch.device(device):
        model = Classifier(create_tower(model_config(recipe.encoder.name)), CLASSES, recipe.pool)
        set_resolution(model, int(recipe.resolution))
    freeze(model, recipe.freeze)
    return model


def recipe_of(name: str, pool: str, **knobs: object) -> Recipe:
    shape = shape_of(name)
    recipe = Recipe(pool=pool, encoder=Encoder(name), resolution=shape.resolution + shape.patch)
    return replace(recipe, **knobs)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "pool"), SHAPES)
def test_parameter_counts_equal_those_of_the_built_model(name: str, pool: str) -> None:
    recipe = recipe_of(name, pool)
    sizes = {name: parameter.numel() for name, parameter in built(recipe).named_parameters()}
    assert flops.parameter_counts(recipe, CLASSES) == sizes


@pytest.mark.parametrize("what", ["none", "patch", "first_2", "backbone"])
def test_trainable_and_frozen_counts_equal_those_of_the_model(what: str) -> None:
    recipe = recipe_of("tiny", "patch_mean", freeze=what)
    known = count_parameters(built(recipe))
    assert flops.trainable_and_frozen(recipe, CLASSES) == (known["trainable"], known["frozen"])


@pytest.mark.parametrize(("name", "pool"), SHAPES[:3])
def test_multiply_adds_are_half_of_the_flops_of_torch(name: str, pool: str) -> None:
    recipe = recipe_of(name, pool)
    model, side = built(recipe, "cpu").train(), int(recipe.resolution)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, side, side))
    assert 2 * flops.multiply_adds(recipe, CLASSES) == counter.get_total_flops()


@pytest.mark.parametrize("what", ["none", "patch", "first_2", "backbone"])
@pytest.mark.parametrize("layer_decay", [1.0, 0.65])
def test_layer_lrs_equal_those_of_the_param_groups(what: str, layer_decay: float) -> None:
    recipe = recipe_of("tiny", "patch_mean", freeze=what, layer_decay=layer_decay, lr=1e-2)
    model = built(recipe)
    groups = param_groups(model.named_parameters(), len(model.blocks), layer_decay, 0.05)
    trained = {group.depth: 1e-2 * group.lr_scale for group in groups}
    depths = len(model.blocks) + 2
    assert layer_lrs(recipe) == pytest.approx([trained.get(depth, 0.0) for depth in range(depths)])


def test_published_run_is_described_by_its_published_figures() -> None:
    assert mean_block_lr(B16) == pytest.approx(7.5e-5, rel=0.01)
    assert ema_half_life_steps(0.9998) == pytest.approx(3465, rel=1e-3)
    assert flops.multiply_adds(B16, 1000) == pytest.approx(17.5e9, rel=0.01)
    text = describe(B16)
    for line in (
        "31250 = 50 epochs of 625, 1167 of its 1,281,167 images unused",
        "half-life 3465 steps = 5.54 epochs = 11.1 % of the run",
        "0.0006 peak, 7.5e-05 per 256 images, floor 1e-06",
        "14 x 14 patches, as pre-trained",
        "589,824 frozen (freeze=patch)",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("knobs", "line"),
    [
        ({"drop_path": 0.1}, "drop-path 0.1"),
        ({"resolution": 48}, "4 x 4 -> 6 x 6 patches, bicubic without antialias"),
        ({"freeze": "first_3"}, "lr, block 2         frozen"),
        ({"ema_decay": 0.0}, "EMA                 none"),
        ({"warmup": 0.1}, "30 steps, 10 % of the run"),
        ({"batch_size": 75}, "200 = 20 epochs of 10"),
    ],
)
def test_description_shows_the_effect_of_a_knob(knobs: dict[str, object], line: str) -> None:
    assert line in describe(resolve(replace(GOOD, epochs=20, **knobs)))  # type: ignore[arg-type]


@pytest.mark.parametrize("recipe", [resolve(GOOD), B16], ids=["small", "published"])
def test_good_recipe_has_no_lint(recipe: Recipe) -> None:
    assert lint(recipe) == []


@pytest.mark.parametrize(
    ("knobs", "sentence"),
    [
        ({"ema_decay": 0.9999}, "EMA decay 0.9999 with 300 steps never warms up: at the end 97 %"),
        ({"ema_decay": 0.2}, "EMA decay 0.2 with 300 steps averages hardly any of them"),
        ({"mixup": 0.8}, "mixup moves label smoothing into the targets"),
        ({"mixup": 0.8, "cutmix": 1.0}, "mixup and cutmix move label smoothing into the targets"),
        ({"layer_decay": 1.0}, "lr 0.006 without layer decay is far above the uniform lr that"),
        ({"layer_decay": 0.99}, "lr 0.006 with so little layer decay is far above"),
        ({"min_lr": 0.01}, "min_lr=0.01 is not below lr=0.006"),
        ({"warmup": 0.0}, "warmup=0 is 0 steps: training starts at the full lr"),
        ({"freeze": "backbone"}, "freeze=backbone trains the head alone: layer_decay=0.65 changes"),
        (
            {"color_jitter": 0.4, "rand_augment": "rand-m9-mstd0.5-inc1"},
            "color_jitter=0.4 is applied in addition to RandAugment",
        ),
    ],
)
def test_probable_mistake_gets_one_sentence(knobs: dict[str, object], sentence: str) -> None:
    found = lint(resolve(replace(GOOD, **knobs)))  # type: ignore[arg-type]
    assert len(found) == 1
    assert found[0].startswith(sentence)
    assert "\n" not in found[0]


def test_published_lr_without_layer_decay_is_far_too_high() -> None:
    assert lint(replace(B16, layer_decay=1.0))[0].startswith("lr 0.0006 without layer decay is far")
