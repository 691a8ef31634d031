"""Weights of another resolution are resized as open_clip does, once."""

from pathlib import Path
from types import SimpleNamespace

import open_clip.model
import pytest
import torch
from safetensors.torch import load_file
from support.cli import SHORT, describe, plan, records, sweep
from support.weight_files import image_tower, write
from torch import Tensor

from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.factory import create_model

POSITIONS = "positional_embedding"


@pytest.fixture(scope="module")
def first_stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train at 48 px and return the file of the best weights: 6x6 patches in place of 4x4."""
    folder = tmp_path_factory.mktemp("stage")
    done = sweep(*SHORT, "resolution=48", "keep_checkpoints=best", cwd=folder)
    assert done.code == 0, done.err
    return records(folder)[0].folder / "best.safetensors"


def positions_of_trial(weights: Path, resolution: int) -> Tensor:
    """Return the positional embedding of a trial before its first step."""
    values = {"encoder.pretrained": str(weights), "resolution": resolution}
    recipe = resolve(with_values(Recipe(), values))
    return create_model(recipe, classes=10).positional_embedding.detach()


def resized_by_open_clip(positions: Tensor, grid: int) -> Tensor:
    state = {f"visual.{POSITIONS}": positions.clone()}
    model = SimpleNamespace(visual=SimpleNamespace(grid_size=(grid, grid)))
    open_clip.model.resize_pos_embed(state, model)
    return state[f"visual.{POSITIONS}"]


@pytest.mark.parametrize("resolution", [32, 48, 64, 8])
def test_weights_of_another_resolution_are_resized_once(first_stage: Path, resolution: int) -> None:
    saved = load_file(first_stage)[POSITIONS]
    assert len(saved) == 1 + 6 * 6
    expected = resized_by_open_clip(saved, resolution // 8)
    assert torch.equal(positions_of_trial(first_stage, resolution), expected)


@pytest.mark.parametrize(
    ("resolution", "sentence"),
    [
        (48, "6 x 6 patches, as pre-trained"),
        (64, "6 x 6 -> 8 x 8 patches, bicubic with antialias"),
        (32, "6 x 6 -> 4 x 4 patches, bicubic with antialias"),
    ],
)
def test_describe_says_from_which_grid(
    first_stage: Path, resolution: int, sentence: str, tmp_path: Path
) -> None:
    given = (f"encoder.pretrained={first_stage}", f"resolution={resolution}")
    assert sentence in describe(*given, cwd=tmp_path)
    own = describe("resolution=48", cwd=tmp_path)
    assert "4 x 4 -> 6 x 6 patches, bicubic without antialias" in own


def test_second_stage_trains_from_the_first(first_stage: Path, tmp_path: Path) -> None:
    given = (f"encoder.pretrained={first_stage}", "resolution=48", "layer_decay=0.5")
    done = sweep(*SHORT, *given, cwd=tmp_path)
    assert done.code == 0, done.err
    assert "positional embedding of 6x6 patches kept" in done.out
    assert "not used: fc_norm (2), head (2)" in done.out


def test_projection_that_a_classifier_lacks_is_refused(first_stage: Path, tmp_path: Path) -> None:
    done = plan(f"encoder.pretrained={first_stage}", "pool=clip", cwd=tmp_path)
    assert done.code == 2
    assert "does not hold ln_post.weight, which pool=clip reads: try pool=patch_mean" in done.err


def other_tower(what: str) -> dict[str, Tensor]:
    state = image_tower()
    if what == "patch size":
        state["conv1.weight"] = torch.zeros(64, 3, 16, 16)
    elif what == "width":
        state["conv1.weight"] = torch.zeros(96, 3, 8, 8)
    elif what == "fewer blocks":
        return {k: v for k, v in state.items() if "resblocks.5." not in k}
    else:
        state |= {k.replace(".5.", ".6."): v for k, v in state.items() if "resblocks.5." in k}
    return state


@pytest.mark.parametrize(
    ("what", "sizes"),
    [
        ("patch size", "patch size 16, width 64 and 6 blocks"),
        ("width", "patch size 8, width 96 and 6 blocks"),
        ("fewer blocks", "patch size 8, width 64 and 5 blocks"),
        ("more blocks", "patch size 8, width 64 and 7 blocks"),
    ],
)
def test_other_sizes_are_refused_with_both(what: str, sizes: str, tmp_path: Path) -> None:
    done = plan(write(tmp_path / "file.pt", other_tower(what)), cwd=tmp_path)
    assert done.code == 2
    assert f"it has {sizes}, and tiny has patch size 8, width 64 and 6 blocks" in done.err
    assert done.err.count("\n") == 1
