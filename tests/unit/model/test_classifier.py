"""Classifier: features, freezing, drop-path, resolution and head."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clip_hparam.model.architectures import model_config
from clip_hparam.model.classifier import (
    Classifier,
    DropPath,
    count_parameters,
    freeze,
    init_head,
    resize_pos_embed,
    set_drop_path,
    set_head,
    set_resolution,
)
from clip_hparam.model.depth import depth_of, drop_path_rates
from clip_hparam.model.tower import create_tower

BLOCKS, PX = 3, 16
CONFIG = {
    "embed_dim": 12,
    "vision_cfg": {
        "image_size": PX,
        "patch_size": 4,
        "width": 8,
        "layers": BLOCKS,
        "head_width": 4,
    },
    "quick_gelu": True,
}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def small(pool: str = "patch_mean") -> Classifier:
    return Classifier(create_tower(CONFIG), 5, pool).double()


def images(count: int = 4, px: int = PX) -> Tensor:
    return torch.randn(count, 3, px, px, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "resolution", "frozen", "trainable"),
    [
        ("ViT-B-16-quickgelu", 224, "patch", 85_978_600),
        ("ViT-B-16-quickgelu", 384, "none", 86_860_264),
        ("ViT-L-14-quickgelu", 224, "patch", 303_602_664),
        ("ViT-L-14-quickgelu", 336, "none", 304_532_456),
    ],
)
def test_published_models_have_the_published_parameter_counts(
    name: str, resolution: int, frozen: str, trainable: int
) -> None:
    with torch.device("meta"):
        model = Classifier(create_tower(model_config(name)), 1000)
        set_resolution(model, resolution)
    freeze(model, frozen)
    assert count_parameters(model)["trainable"] == trainable


def test_patch_mean_normalises_before_it_averages() -> None:
    model = small()
    nn.init.normal_(model.fc_norm.weight)
    tokens = model.tokens(images())
    torch.testing.assert_close(model.features(tokens), model.fc_norm(tokens[:, 1:]).mean(1))
    other_way = model.fc_norm(tokens[:, 1:].mean(1))
    assert (model.features(tokens) - other_way).abs().max() > 1e-3


def test_pool_cls_reads_the_class_token_alone() -> None:
    model = small("cls")
    tokens = model.tokens(images())
    torch.testing.assert_close(model.features(tokens), model.fc_norm(tokens[:, 0]))


def test_pool_clip_gives_the_features_of_open_clip() -> None:
    tower = create_tower(CONFIG).double()
    model, pixels = Classifier(tower, 5, "clip").double(), images()
    expected = F.normalize(tower(pixels), dim=-1)
    torch.testing.assert_close(model.features(model.tokens(pixels)), expected)


@pytest.mark.parametrize("what", ["none", "patch", "backbone", "first_1", "first_2", "first_3"])
def test_freeze_freezes_the_named_parameters(what: str) -> None:
    model = small()
    freeze(model, what)
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    names = dict(model.named_parameters())
    expected = {
        "none": set(),
        "patch": {"conv1.weight"},
        "backbone": {name for name in names if not name.startswith("head.")},
    }
    if what.startswith("first_"):
        deepest = int(what[-1])
        assert frozen == {name for name in names if depth_of(name, BLOCKS) <= deepest}
        assert any(f"resblocks.{deepest - 1}." in name for name in frozen)
    else:
        assert frozen == expected[what]


def test_second_freeze_replaces_the_first() -> None:
    model = small()
    freeze(model, "backbone")
    freeze(model, "none")
    assert count_parameters(model)["frozen"] == 0


def test_freezing_more_blocks_than_the_tower_has_is_refused() -> None:
    with pytest.raises(ValueError, match=f"than the tower's {BLOCKS}"):
        freeze(small(), f"first_{BLOCKS + 1}")


@pytest.mark.parametrize("px", [8, 16, 24, 40])
def test_multiple_of_the_patch_size_is_accepted_as_resolution(px: int) -> None:
    model = small()
    set_resolution(model, px)
    assert len(model.positional_embedding) == 1 + (px // 4) ** 2
    assert model.positional_embedding.requires_grad
    assert model(images(2, px)).shape == (2, 5)


def test_native_resolution_keeps_the_bits() -> None:
    model = small()
    before = model.positional_embedding.detach().clone()
    set_resolution(model, PX)
    assert torch.equal(model.positional_embedding, before)


@pytest.mark.parametrize("px", [1, 15, 17])
def test_resolution_not_divisible_by_the_patch_size_is_refused(px: int) -> None:
    with pytest.raises(ValueError, match=r"multiple of the patch size 4: try \d+"):
        set_resolution(small(), px)


@pytest.mark.parametrize(("old", "new"), [(14, 24), (7, 3), (4, 5)])
def test_pos_embed_is_resized_bicubic_without_antialias(old: int, new: int) -> None:
    positions = torch.randn(1 + old * old, 6, dtype=torch.float64)
    resized = resize_pos_embed(positions, new)
    assert torch.equal(resized[0], positions[0])
    square = positions[1:].reshape(1, old, old, 6).permute(0, 3, 1, 2)
    grids = [
        F.interpolate(square, (new, new), mode="bicubic", antialias=antialias)
        .permute(0, 2, 3, 1)
        .reshape(new * new, 6)
        for antialias in (False, True)
    ]
    torch.testing.assert_close(resized[1:], grids[0])
    assert (resized[1:] - grids[1]).abs().max() > 1e-3


def test_drop_path_rate_is_linear_over_the_blocks_on_both_branches() -> None:
    model = small()
    set_drop_path(model, 0.3)
    rates = [path.rate for path in model.drop_paths]
    np.testing.assert_allclose(rates, [0.15, 0.15, 0.3, 0.3])
    assert drop_path_rates(0.3, BLOCKS) == pytest.approx([0.0, 0.15, 0.3])


def test_drop_path_drops_whole_images_and_keeps_the_mean() -> None:
    path = DropPath(0.25).train()
    x = torch.ones(1000, 2, 3)
    path.draws = torch.arange(1000) / 1000
    dropped = path(x)
    kept = path.draws >= 0.25
    assert torch.equal(dropped[kept], x[kept] / 0.75)
    assert not dropped[~kept].any()
    torch.testing.assert_close(dropped.mean(), x.mean())


def test_drop_path_has_no_effect_in_evaluation_and_without_draws() -> None:
    model, pixels = small(), images()
    before = model.eval()(pixels)
    set_drop_path(model, 0.9)
    for path in model.drop_paths:
        path.draws = torch.zeros(len(pixels))
    torch.testing.assert_close(model.eval()(pixels), before)
    assert (model.train()(pixels) - before).abs().max() > 1e-6
    for path in model.drop_paths:
        path.draws = None
    torch.testing.assert_close(model(pixels), before)


def test_head_is_initialised_as_in_ft_clip() -> None:
    model = Classifier(create_tower(CONFIG), 4000)
    init_head(model, 0.001, seed=0)
    assert float(model.head.weight.detach().std()) == pytest.approx(2e-5, rel=0.02)
    bound = 0.001 * model.head.in_features**-0.5
    assert 0.9 * bound < float(model.head.bias.detach().abs().max()) <= bound


@pytest.mark.parametrize("bias", [None, torch.tensor([1.0, -2.0, 0.5, 3.0, 0.0])])
def test_a_set_head_computes_its_logits(bias: Tensor | None) -> None:
    """Without a bias that of the random head, which the model had before, is 0."""
    model, weights = small(), torch.randn(5, 8)
    set_head(model, weights, bias)
    tokens = torch.randn(4, 17, 8, dtype=torch.float64)
    expected = model.features(tokens) @ weights.double().T + (0 if bias is None else bias)
    torch.testing.assert_close(model.head(model.features(tokens)), expected)


def test_head_depends_on_the_seed_alone() -> None:
    heads = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(heads))
        model = small()
        init_head(model, 1.0, seed)
        heads.append(model.head.weight.detach())
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])
