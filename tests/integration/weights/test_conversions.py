"""An exported classifier is the same function in timm and in open_clip, to 1e-5."""

import json
from pathlib import Path

import pytest
import timm
import torch
from open_clip import add_model_config, create_model
from safetensors.torch import save_file

from clip_hparam.model.architectures import model_config
from clip_hparam.model.classifier import Classifier, set_drop_path, set_resolution
from clip_hparam.model.tower import create_tower
from clip_hparam.weights.models.open_clip_tower import (
    classifier_state,
    tower_config,
    tower_state,
)
from clip_hparam.weights.models.timm_classifier import timm_config, timm_state
from clip_hparam.weights.models.trained_model import create_classifier

CLASSES = ("a", "b", "c")
CASES = [("patch_mean", 32), ("cls", 32), ("patch_mean", 48), ("cls", 64)]


def knobs(pool: str, resolution: int) -> dict[str, object]:
    names = ("encoder.name", "pool", "resolution", "encoder.pixels", "interpolation", "drop_path")
    return dict(zip(names, ("tiny", pool, resolution, "clip", "bicubic", 0.3), strict=True))


def classifier(pool: str, resolution: int) -> Classifier:
    """Return a classifier whose every parameter is drawn, so that none is left at 0 or 1."""
    torch.manual_seed(1)
    model = Classifier(create_tower(model_config("tiny")), len(CLASSES), pool)
    set_resolution(model, resolution)
    set_drop_path(model, 0.3)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model.eval()


def images(resolution: int) -> torch.Tensor:
    return torch.randn(4, 3, resolution, resolution, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(("pool", "resolution"), CASES)
@torch.no_grad()
def test_timm_loads_the_whole_classifier_with_equal_logits(
    pool: str, resolution: int, tmp_path: Path
) -> None:
    model = classifier(pool, resolution)
    state = timm_state(model)
    config = timm_config(knobs(pool, resolution), CLASSES, state)
    (tmp_path / "config.json").write_text(json.dumps(config))
    tensors = {name: tensor.contiguous() for name, tensor in state.items()}
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    loaded = timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()
    batch = images(resolution)
    torch.testing.assert_close(loaded(batch), model(batch), atol=1e-5, rtol=1e-5)
    assert loaded.pretrained_cfg["label_names"] == list(CLASSES)
    assert list(loaded.pretrained_cfg["input_size"]) == [3, resolution, resolution]


@pytest.mark.parametrize(("pool", "resolution"), [*CASES, ("clip", 32), ("clip", 48)])
@torch.no_grad()
def test_open_clip_loads_the_tower_with_equal_features_and_tokens(
    pool: str, resolution: int, tmp_path: Path
) -> None:
    model = classifier(pool, resolution)
    name = f"exported_{pool}_{resolution}"
    file = tmp_path / f"{name}.json"
    file.write_text(json.dumps(tower_config("tiny", pool, resolution)))
    add_model_config(file)
    tower = create_model(name).visual.eval()
    tower.load_state_dict(tower_state(model))
    batch = images(resolution)
    tower.output_tokens = True
    features, tokens = tower(batch)
    if pool == "clip":
        features = torch.nn.functional.normalize(features, dim=-1)
    expected = model.tokens(batch)
    torch.testing.assert_close(features, model.features(expected), atol=1e-5, rtol=1e-5)
    norm = model.ln_post if pool == "clip" else model.fc_norm
    torch.testing.assert_close(tokens, norm(expected)[:, 1:], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("pool", ["patch_mean", "cls", "clip"])
@torch.no_grad()
def test_tower_and_head_are_the_classifier_again(pool: str) -> None:
    model = classifier(pool, 48)
    state = classifier_state(tower_state(model), dict(model.head.state_dict()), pool)
    again = create_classifier({**knobs(pool, 48), "drop_path": 0.0}, state)
    assert torch.equal(again(images(48)), model(images(48)))


def test_pool_clip_is_refused_for_timm() -> None:
    with pytest.raises(ValueError, match="features of length 1"):
        timm_state(classifier("clip", 32))
