"""Parameter groups: those that the official B/16 run logged, and their rules for any model."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from clip_hparam.model.architectures import model_config
from clip_hparam.model.classifier import Classifier, freeze
from clip_hparam.model.depth import depth_of
from clip_hparam.model.tower import create_tower
from clip_hparam.training.optim.param_groups import param_groups

LOGGED = json.loads(
    (Path(__file__).parents[3] / "data" / "ft_clip_b16_param_groups.json").read_text()
)
LAYER_DECAY, WEIGHT_DECAY = 0.6, 0.05  # of the published B/16 run


def on_meta(name: str, frozen: str) -> Classifier:
    with torch.device("meta"):
        model = Classifier(create_tower(model_config(name)), 1000)
    freeze(model, frozen)
    return model


def test_groups_equal_the_official_log_by_name() -> None:
    model = on_meta("ViT-B-16-quickgelu", "patch")
    ours = param_groups(model.named_parameters(), 12, LAYER_DECAY, WEIGHT_DECAY)
    assert sorted(
        (group.lr_scale, group.weight_decay, sorted(group.parameters)) for group in ours
    ) == sorted(
        (group["lr_scale"], group["weight_decay"], sorted(group["names"]))
        for group in LOGGED.values()
    )


@pytest.mark.parametrize(
    ("name", "frozen", "groups", "tensors"),
    [
        ("ViT-B-16-quickgelu", "patch", 27, 152),
        ("ViT-B-16-quickgelu", "none", 28, 153),
        ("ViT-L-14-quickgelu", "patch", 51, 296),
        ("ViT-L-14-quickgelu", "none", 52, 297),
    ],
)
def test_published_models_have_the_logged_numbers_of_groups(
    name: str, frozen: str, groups: int, tensors: int
) -> None:
    model = on_meta(name, frozen)
    ours = param_groups(model.named_parameters(), len(model.blocks), 0.65, WEIGHT_DECAY)
    assert (len(ours), sum(len(group.parameters) for group in ours)) == (groups, tensors)


@pytest.mark.parametrize("frozen", ["none", "patch", "backbone", "first_1", "first_2"])
@pytest.mark.parametrize("pool", ["patch_mean", "cls", "clip"])
def test_each_trainable_parameter_is_in_exactly_one_group(frozen: str, pool: str) -> None:
    model = Classifier(create_tower(model_config("tiny")), 7, pool)
    freeze(model, frozen)
    groups = param_groups(model.named_parameters(), len(model.blocks), 0.5, 0.1)
    assert sorted(name for group in groups for name in group.parameters) == sorted(
        name for name, parameter in model.named_parameters() if parameter.requires_grad
    )


def test_scale_is_one_at_the_head_and_decays_with_each_layer_below() -> None:
    model = Classifier(create_tower(model_config("tiny")), 7)
    blocks = len(model.blocks)
    groups = param_groups(model.named_parameters(), blocks, 0.5, 0.1)
    scales = {group.depth: group.lr_scale for group in groups}
    assert scales == {depth: 0.5 ** (blocks + 1 - depth) for depth in range(blocks + 2)}
    assert scales[depth_of("head.weight", blocks)] == 1


def test_only_matrices_that_are_not_embeddings_have_weight_decay() -> None:
    model = Classifier(create_tower(model_config("tiny")), 7)
    groups = param_groups(model.named_parameters(), len(model.blocks), 1.0, 0.1)
    decayed = {name for group in groups if group.weight_decay for name in group.parameters}
    assert decayed == {
        name
        for name, parameter in model.named_parameters()
        if parameter.ndim > 1 and "embedding" not in name
    }


@pytest.mark.parametrize("layer_decay", [0.0, -1.0, 1.5, float("nan")])
def test_layer_decay_outside_its_range_is_refused(layer_decay: float) -> None:
    with pytest.raises(ValueError, match="outside"):
        param_groups(iter([("head.bias", nn.Parameter())]), 12, layer_decay, 0.05)
