"""Each architecture of open_clip is built, or refused by name with the reason."""

import re

import open_clip
import pytest
import timm
import torch

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.model.architectures import (
    TIMM_VITS,
    TINY,
    architecture_names,
    model_config,
    patch_grid,
    shape_of,
)
from clip_hparam.model.classifier import Classifier
from clip_hparam.model.timm_keys import to_open_clip_keys
from clip_hparam.model.tower import create_tower
from clip_hparam.planning.resolve import resolve

NAMES = open_clip.list_models()
BUILT = set(architecture_names())
PROJECTING = [name for name in sorted(BUILT) if shape_of(name).projects_cls]


@pytest.mark.parametrize("name", NAMES)
def test_architecture_is_built_or_refused_with_the_reason(name: str) -> None:
    if name not in BUILT:
        with pytest.raises(ValueError, match=rf"^encoder\.name={re.escape(name)} is .*not.*: try "):
            shape_of(name)
        return
    shape = shape_of(name)
    with torch.device("meta"):
        model = Classifier(create_tower(model_config(name)), 10)
        logits = model(torch.empty(2, 3, shape.resolution, shape.resolution))
    assert logits.shape == (2, 10)
    assert len(model.blocks) == shape.blocks
    assert model.fc_norm.normalized_shape == (shape.width,)
    assert len(model.positional_embedding) == 1 + patch_grid(shape.resolution, shape.patch) ** 2


def test_architectures_of_the_recipes_are_built() -> None:
    plain = {"ViT-B-32", "ViT-B-16", "ViT-L-14", "ViT-L-14-336", "ViT-H-14", "ViT-bigG-14"}
    assert plain | {f"{name}-quickgelu" for name in plain} <= BUILT
    refused = {"RN50", "ViT-B-16-SigLIP", "convnext_base", "EVA02-B-16", "PE-Core-B-16"}
    assert refused <= set(NAMES) - BUILT


@pytest.mark.parametrize("name", PROJECTING)
def test_pool_clip_works_where_the_class_token_is_projected(name: str) -> None:
    with torch.device("meta"):
        model = Classifier(create_tower(model_config(name)), 10, "clip")
        width = shape_of(name).width
        features = model.features(torch.empty(2, 5, width))
    assert features.shape == (2, model_config(name)["embed_dim"])


@pytest.mark.parametrize("name", ["coca_ViT-B-32", "ViT-L-14-CLIPA", "MobileCLIP2-L-14"])
def test_pool_clip_is_refused_without_a_projected_class_token(name: str) -> None:
    encoder = Encoder(name=name, pretrained="random")
    with pytest.raises(ValueError, match=f"pool=clip.*{name}.*try pool=patch_mean"):
        resolve(Recipe(pool="clip", encoder=encoder))


def test_unknown_name_lists_similar_usable_names() -> None:
    with pytest.raises(ValueError, match="did you mean ViT-B-16") as error:
        shape_of("ViT-B16")
    assert "SigLIP" not in str(error.value)


@pytest.mark.parametrize("timm_name", TIMM_VITS)
def test_renamed_timm_tower_gives_the_same_tokens(timm_name: str) -> None:
    size = {"depth": 2, "embed_dim": 32, "num_heads": 2, "img_size": 28, "num_classes": 12}
    theirs = timm.create_model(timm_name, **size).double().eval()
    vision = {"image_size": 28, **TIMM_VITS[timm_name], "layers": 2, "width": 32, "head_width": 16}
    tower = create_tower({"embed_dim": 12, "vision_cfg": vision}).double()
    renamed = to_open_clip_keys(
        {f"trunk.{key}": value for key, value in theirs.state_dict().items()}
    )
    report = tower.load_state_dict(renamed, strict=False)
    assert (report.missing_keys, report.unexpected_keys) == (["proj"], ["head.weight", "head.bias"])
    pixels = torch.randn(2, 3, 28, 28, dtype=torch.float64)
    ours = Classifier(tower, 3).tokens(pixels)
    torch.testing.assert_close(
        tower.ln_post(ours), theirs.forward_features(pixels), rtol=0, atol=1e-10
    )


def test_bundled_encoders_come_first() -> None:
    assert next(iter(architecture_names())) == TINY
