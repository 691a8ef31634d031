"""Fused kernels: the same function, gradients and state dict as open_clip's modules."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from clip_hparam.model.architectures import model_config
from clip_hparam.model.classifier import Classifier, freeze, set_drop_path, set_resolution
from clip_hparam.model.kernels.attention import EXPLICIT, SDPA
from clip_hparam.model.kernels.block import use_fused_kernels
from clip_hparam.model.tower import create_tower

VISION = {"image_size": 16, "patch_size": 4, "width": 16, "layers": 3, "head_width": 8}
TOWERS: dict[str, dict[str, Any]] = {
    "quick_gelu": {"quick_gelu": True},
    "exact_gelu": {"quick_gelu": False},
    "layer_scale": {"quick_gelu": True, "ls_init_value": 0.1},
    "no_ln_pre": {"quick_gelu": False, "no_ln_pre": True},
    "tanh_gelu": {"quick_gelu": False, "act_kwargs": {"approximate": "tanh"}},
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def model_of(
    tower: str, pool: str = "patch_mean", dtype: torch.dtype = torch.float64
) -> Classifier:
    options = dict(TOWERS[tower])
    config = {"embed_dim": 12, "quick_gelu": options.pop("quick_gelu")}
    torch.manual_seed(0)
    model = Classifier(create_tower({**config, "vision_cfg": {**VISION, **options}}), 5, pool)
    for name, parameter in model.named_parameters():
        if "ln_" in name or "norm" in name or name.endswith("bias"):
            nn.init.normal_(parameter, 0.5, 0.5)
    return model.to(dtype)


def outcome(
    model: Classifier, px: int = 16, autocast: torch.dtype | None = None
) -> dict[str, Tensor]:
    """Return the logits and the gradient of each trained parameter."""
    dtype = model.head.weight.dtype
    images = torch.randn(6, 3, px, px, dtype=dtype, generator=torch.Generator().manual_seed(1))
    for at, path in enumerate(model.drop_paths):
        path.draws = torch.rand(6, generator=torch.Generator().manual_seed(at))
    with torch.autocast("cpu", autocast or torch.bfloat16, enabled=autocast is not None):
        logits = model(images)
    logits.backward(torch.linspace(-1, 1, logits.numel()).view_as(logits).to(logits.dtype))
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return {"logits": logits.detach(), **gradients}


def assert_close(ours: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float) -> None:
    """Assert closeness relative to the largest element of each tensor."""
    assert ours.keys() == expected.keys()
    for name, wanted in expected.items():
        limit = tolerance * max(1e-2, float(wanted.abs().max()))
        torch.testing.assert_close(ours[name], wanted, rtol=0, atol=limit, msg=name)


def both(model: Classifier, kernel: str) -> tuple[Classifier, Classifier]:
    """Return a copy with fused kernels and the model as it is."""
    fused = deepcopy(model)
    use_fused_kernels(fused, kernel)
    return fused, model


@pytest.mark.parametrize("kernel", [SDPA, EXPLICIT])
@pytest.mark.parametrize("pool", ["patch_mean", "cls", "clip"])
@pytest.mark.parametrize("tower", TOWERS)
def test_logits_and_gradients_are_those_of_open_clip(tower: str, pool: str, kernel: str) -> None:
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-6)):
        fused, model = both(model_of(tower, pool, dtype), kernel)
        assert_close(outcome(fused.train()), outcome(model.train()), 4 * tolerance)
        with torch.no_grad():
            images = torch.randn(3, 3, 16, 16, dtype=dtype)
            torch.testing.assert_close(
                fused.eval()(images), model.eval()(images), rtol=0, atol=4 * tolerance
            )


@pytest.mark.parametrize("frozen", ["none", "patch", "first_2", "backbone"])
def test_drop_path_freezing_and_another_resolution_have_the_same_gradients(frozen: str) -> None:
    model = model_of("layer_scale")
    set_resolution(model, 24)
    set_drop_path(model, 0.5)
    freeze(model, frozen)
    fused, model = both(model.train(), SDPA)
    assert len(fused.drop_paths) == 4
    assert_close(outcome(fused, 24), outcome(model, 24), 1e-12)


def test_drop_path_can_be_set_after_the_kernels() -> None:
    fused, model = both(model_of("quick_gelu"), SDPA)
    for one in (fused, model):
        set_drop_path(one.train(), 0.5)
    assert_close(outcome(fused), outcome(model), 1e-12)


@pytest.mark.parametrize("kernel", [SDPA, EXPLICIT])
@pytest.mark.parametrize("autocast", [torch.bfloat16, torch.float16])
def test_autocast_is_as_close_to_fp32_as_open_clip(kernel: str, autocast: torch.dtype) -> None:
    fused, model = both(model_of("quick_gelu", dtype=torch.float32).train(), kernel)
    exact = outcome(deepcopy(model))
    ours, theirs = (outcome(one, autocast=autocast) for one in (fused, model))
    assert ours["logits"].dtype == autocast
    for name, wanted in exact.items():
        ours_off, theirs_off = (float((one[name] - wanted).norm()) for one in (ours, theirs))
        assert ours_off < 2 * theirs_off + 1e-3 * float(wanted.norm()), name


@pytest.mark.parametrize("tower", TOWERS)
def test_state_dict_has_the_same_keys_in_the_same_order(tower: str) -> None:
    fused, model = both(model_of(tower), SDPA)
    assert list(fused.state_dict()) == list(model.state_dict())
    assert [name for name, _ in fused.named_parameters()] == [
        name for name, _ in model.named_parameters()
    ]
    fused.load_state_dict(model.state_dict())


def test_parameters_stay_the_same_objects() -> None:
    model = model_of("quick_gelu")
    before = dict(model.named_parameters())
    use_fused_kernels(model, SDPA)
    after = dict(model.named_parameters())
    assert all(after[name] is parameter for name, parameter in before.items())


def test_published_tower_has_only_fused_blocks() -> None:
    with torch.device("meta"):
        model = Classifier(create_tower(model_config("ViT-B-16-quickgelu")), 1000)
    use_fused_kernels(model, SDPA)
    names = {type(module).__module__ for module in model.blocks.modules()}
    assert not any(name.startswith("open_clip") for name in names)
    assert model(torch.zeros(2, 3, 224, 224, device="meta")).shape == (2, 1000)
