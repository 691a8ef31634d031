"""Tensors are matched to a tower by shape, type and value; positions are resized as open_clip."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import open_clip.model
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.weight_files import State, image_tower
from torch import Tensor

from clip_hparam.model.weights_matching import MatchedWeights, match_weights, resized_positions
from clip_hparam.model.weights_selection import select_tower


def match(state: State, grid: int = 4) -> MatchedWeights:
    found = select_tower(state, Path("file.pt"))
    return match_weights(image_tower(), found, "file.pt", "tiny", grid)


@settings(deadline=None)
@given(st.integers(1, 16), st.integers(1, 16))
def test_positions_are_resized_as_open_clip_does(old: int, new: int) -> None:
    positions = torch.randn(1 + old * old, 5, generator=torch.Generator().manual_seed(old))
    state = {"visual.positional_embedding": positions.clone()}
    model = SimpleNamespace(visual=SimpleNamespace(grid_size=(new, new)))
    open_clip.model.resize_pos_embed(state, model)
    assert torch.equal(resized_positions(positions, new), state["visual.positional_embedding"])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_become_float32(dtype: torch.dtype) -> None:
    matched = match({name: tensor.to(dtype) for name, tensor in image_tower().items()})
    for name, tensor in image_tower().items():
        assert matched.state[name].dtype == torch.float32
        assert torch.equal(matched.state[name], tensor.to(dtype).float())


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.float8_e4m3fn, torch.complex64])
def test_quantised_tensor_is_refused_by_name(dtype: torch.dtype) -> None:
    state = image_tower()
    state["conv1.weight"] = state["conv1.weight"].to(dtype)
    with pytest.raises(ValueError, match=r"file\.pt holds conv1\.weight as .*: save it as float16"):
        match(state)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_not_finite_tensor_is_refused_by_name(value: float) -> None:
    state = image_tower()
    state["transformer.resblocks.2.mlp.c_fc.bias"][7] = value
    name = r"transformer\.resblocks\.2\.mlp\.c_fc\.bias"
    with pytest.raises(ValueError, match=f"holds NaN or infinity in {name}"):
        match(state)


def test_float64_beyond_the_range_of_float32_is_refused_by_name() -> None:
    state = image_tower()
    state["conv1.weight"] = state["conv1.weight"].double() * 1e200
    with pytest.raises(ValueError, match=r"holds NaN or infinity in conv1\.weight"):
        match(state)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda tensor: tensor.to_sparse(), "sparse_coo"),
        (lambda tensor: tensor.to("meta"), "a tensor of the device meta"),
    ],
)
def test_tensor_without_values_is_refused_with_the_reason(
    change: Callable[[Tensor], Tensor], kind: str
) -> None:
    state = image_tower()
    state["proj"] = change(state["proj"])
    with pytest.raises(ValueError, match=f"holds proj as {kind}, without the values"):
        match(state)


BLOCK = "transformer.resblocks.3"


@pytest.mark.parametrize(
    "name",
    [
        f"{BLOCK}.ls_1.gamma",
        f"{BLOCK}.attn.q_norm.weight",
        f"{BLOCK}.mlp.c_fc.lora_down",
        "conv1.bias",
        "ln_pre.scale",
        "reg_token",
        "rel_pos_bias.relative_position_bias_table",
    ],
)
def test_tensor_without_which_the_features_differ_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"tiny: {name} is in it, which tiny does not have"):
        match(image_tower() | {name: torch.ones(64)})


def test_norm_that_a_tower_does_not_have_is_refused() -> None:
    expected = {name: t for name, t in image_tower().items() if not name.startswith("ln_pre")}
    found = select_tower(image_tower(), Path("file.pt"))
    with pytest.raises(ValueError, match=r"ln_pre\.\w+ is in it, which tiny does not have"):
        match_weights(expected, found, "file.pt", "tiny", 4)


@pytest.mark.parametrize(
    "name", ["head.weight", "fc_norm.bias", "attn_pool.query", "mask_token", f"{BLOCK}.attn.index"]
)
def test_tensor_behind_the_tower_and_an_index_are_not_used(name: str) -> None:
    matched = match(image_tower() | {name: torch.ones(64, dtype=torch.long)})
    assert f"{name.split('.')[0]} (1)" in matched.report


def test_positions_of_an_image_that_is_not_square_are_refused() -> None:
    state = image_tower() | {"positional_embedding": torch.zeros(1 + 2 * 3, 64)}
    with pytest.raises(ValueError, match=r"has shape \(7, 64\) instead of \(17, 64\)"):
        match(state)


def test_projection_may_be_missing_but_not_half_of_its_norm() -> None:
    state = image_tower()
    del state["proj"]
    assert "proj" not in match(state).state
    del state["ln_post.bias"]
    with pytest.raises(ValueError, match=r"ln_post\.bias is not in it"):
        match(state)
    del state["ln_post.weight"]
    assert "it holds no projection" in match(state).report
