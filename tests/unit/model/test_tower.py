"""Weights load safely from each CLIP file format; misfits are refused in one sentence."""

import copy
import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import open_clip
import open_clip.pretrained
import pytest
import torch
from safetensors.torch import save_file
from support.weight_files import State, prefixed
from torch import Tensor, nn

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.model.tower import build_tower
from clip_hparam.model.weights_identity import weights_sha256
from clip_hparam.model.weights_reader import read_state_dict
from clip_hparam.planning.resolve import resolve
from clip_hparam.records import user_cache

pytestmark = pytest.mark.usefixtures("own_cache")


class Archive(nn.Module):
    """Module like those that OpenAI traced: its state dict holds both towers in half precision."""

    def __init__(self, clip: open_clip.CLIP) -> None:
        super().__init__()
        self.visual, self.transformer = clip.visual, clip.transformer
        self.register_buffer("input_resolution", torch.tensor(32))

    def forward(self, images: Tensor) -> Tensor:
        return self.visual.conv1(images)  # only the tensors are tested


def plain(clip: open_clip.CLIP) -> State:
    return {name: tensor.clone() for name, tensor in clip.state_dict().items()}


def image_tower(clip: open_clip.CLIP) -> State:
    return {name: tensor.clone() for name, tensor in clip.visual.state_dict().items()}


def write_checkpoint(clip: open_clip.CLIP, path: Path) -> None:
    optimizer = torch.optim.AdamW(clip.parameters()).state_dict()
    state = prefixed(plain(clip), "module.")
    torch.save({"epoch": 3, "name": "a run", "state_dict": state, "optimizer": optimizer}, path)


def write_torchscript(clip: open_clip.CLIP, path: Path) -> None:
    archive = Archive(copy.deepcopy(clip)).eval()
    torch.jit.trace(archive, torch.zeros(1, 3, 32, 32)).half().save(str(path))


WRITERS: dict[str, Callable[[open_clip.CLIP, Path], None]] = {
    "open_clip.pt": write_checkpoint,
    "open_clip.bin": lambda clip, path: torch.save(plain(clip), path),
    "open_clip.safetensors": lambda clip, path: save_file(plain(clip), path),
    "openai.pt": write_torchscript,
    "ft_clip.pth": lambda clip, path: torch.save({"model": image_tower(clip)}, path),
    "tower.safetensors": lambda clip, path: save_file(image_tower(clip), path),
    "ddp_tower.pt": lambda clip, path: torch.save(prefixed(image_tower(clip), "module."), path),
    "ddp_clip.pt": lambda clip, path: torch.save(prefixed(plain(clip), "module."), path),
}


def saved(tmp_path: Path, state: Any, name: str = "weights.pt") -> Encoder:
    torch.save(state, tmp_path / name)
    return Encoder(name="tiny", pretrained=str(tmp_path / name))


@pytest.mark.filterwarnings("ignore:.torch.jit.(trace|save):FutureWarning")
@pytest.mark.parametrize("name", WRITERS)
def test_each_file_format_gives_the_saved_tower(
    clip: open_clip.CLIP, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    WRITERS[name](clip, tmp_path / name)
    caplog.set_level(logging.INFO)
    tower = build_tower(Encoder("tiny", str(tmp_path / name))).state_dict()
    tolerance = 1e-3 if name == "openai.pt" else 0
    assert tower.keys() == clip.visual.state_dict().keys()
    for key, tensor in clip.visual.state_dict().items():
        assert tower[key].dtype == torch.float32
        torch.testing.assert_close(tower[key], tensor, rtol=tolerance, atol=tolerance)
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(
        f"{name}: {len(tower)} tensors of the image tower; not used: "
    )


def test_tower_is_unchanged_after_save_and_load(tmp_path: Path) -> None:
    encoder = Encoder("ViT-S-32", "random")
    first = build_tower(encoder, seed=1).state_dict()
    save_file(first, tmp_path / "s32.safetensors")
    again = build_tower(Encoder("ViT-S-32", str(tmp_path / "s32.safetensors"))).state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())


def test_report_counts_unused_tensors(
    clip: open_clip.CLIP, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    build_tower(saved(tmp_path, plain(clip)))
    assert "logit_scale (1)" in caplog.messages[0]
    assert "token_embedding (1)" in caplog.messages[0]
    build_tower(saved(tmp_path, image_tower(clip)))
    assert caplog.messages[1].endswith("not used: none")


def test_bundled_weights_give_no_report(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    build_tower(Encoder("tiny", "tiny"))
    assert caplog.messages == []


def test_random_weights_depend_on_the_seed_alone() -> None:
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(drawn))
        drawn.append(build_tower(Encoder("tiny", "random"), seed).conv1.weight)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_build_tower_keeps_the_global_generator() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    build_tower(Encoder("tiny", "random"))
    assert torch.equal(torch.rand(3), expected)


class Bomb:
    """Object whose unpickling executes code: it creates a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_pickle_with_code_is_refused_and_not_executed(clip: open_clip.CLIP, tmp_path: Path) -> None:
    mark = tmp_path / "exploded"
    encoder = saved(tmp_path, {**plain(clip), "bomb": Bomb(mark)})
    with pytest.raises(ValueError, match="does not read as weights"):
        build_tower(encoder)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["open_clip.pt", "open_clip.safetensors", "openai.pt"])
@pytest.mark.parametrize("size", [0, 100, -1000])
@pytest.mark.filterwarnings("ignore:.torch.jit.(trace|save):FutureWarning")
def test_truncated_file_is_refused(
    clip: open_clip.CLIP, tmp_path: Path, name: str, size: int
) -> None:
    path = tmp_path / name
    WRITERS[name](clip, path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=f"^{name} does not read as weights") as error:
        read_state_dict(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_not_finite_value_is_refused_with_the_tensor_name(
    clip: open_clip.CLIP, tmp_path: Path, value: float
) -> None:
    state = plain(clip)
    state["visual.ln_pre.weight"][3] = value
    with pytest.raises(ValueError, match=r"holds NaN or infinity in ln_pre\.weight"):
        build_tower(saved(tmp_path, state))


def test_missing_tensor_is_named(clip: open_clip.CLIP, tmp_path: Path) -> None:
    state = plain(clip)
    del state["visual.ln_post.bias"]
    with pytest.raises(ValueError, match=r"ln_post\.bias is not in it"):
        build_tower(saved(tmp_path, state))


def test_weights_of_another_shape_are_refused_at_plan_time(
    clip: open_clip.CLIP, tmp_path: Path
) -> None:
    state = plain(clip)
    with pytest.raises(ValueError, match=r"does not hold the image tower of .*ViT-S-32"):
        weights_sha256(replace(saved(tmp_path, state), name="ViT-S-32"))
    state["visual.proj"][0, 0] = float("nan")
    for _ in range(2):  # a refusal is not cached
        with pytest.raises(ValueError, match="holds NaN"):
            weights_sha256(saved(tmp_path, state, "nan.pt"))


def test_tensor_of_another_shape_is_named_with_both_shapes(
    clip: open_clip.CLIP, tmp_path: Path
) -> None:
    state = plain(clip)
    state["visual.positional_embedding"] = torch.zeros(12, 64)
    sentence = r"positional_embedding has shape \(12, 64\) instead of \(17, 64\)"
    with pytest.raises(ValueError, match=sentence):
        build_tower(saved(tmp_path, state))


def test_weights_of_another_architecture_suggest_its_name(
    clip: open_clip.CLIP, tmp_path: Path
) -> None:
    encoder = saved(tmp_path, plain(clip))
    other = Encoder("ViT-S-32", encoder.pretrained)
    with pytest.raises(ValueError, match=r"encoder\.name=ViT-S-32: .*try encoder\.name=tiny"):
        build_tower(other)


@pytest.mark.parametrize("content", [torch.zeros(3), [1, 2], {"state_dict": {}}, {}])
def test_file_without_state_dict_of_a_tower_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(ValueError, match=r"not a state dict|does not hold the image tower"):
        build_tower(saved(tmp_path, content))


def test_identity_of_a_file_is_its_sha256_computed_once(
    clip: open_clip.CLIP, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = saved(tmp_path, plain(clip))
    path, calls = Path(encoder.pretrained), []
    original = user_cache.sha256_of
    monkeypatch.setattr(user_cache, "sha256_of", lambda file: calls.append(file) or original(file))
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert [weights_sha256(encoder), weights_sha256(encoder)] == [expected, expected]
    assert len(calls) == 1
    saved(tmp_path, {**plain(clip), "more": torch.zeros(1)})
    assert weights_sha256(encoder) != expected


def test_sha256_is_computed_without_a_writable_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "file" / "below"))
    assert user_cache.sha256_cached(tmp_path / "file") == hashlib.sha256(b"x").hexdigest()


def test_file_changed_since_the_plan_is_refused(clip: open_clip.CLIP, tmp_path: Path) -> None:
    encoder = resolve(Recipe(encoder=saved(tmp_path, plain(clip)))).encoder
    build_tower(encoder)
    saved(tmp_path, {**plain(clip), "more": torch.zeros(1)})
    with pytest.raises(ValueError, match="not hold the weights that this trial was planned with"):
        build_tower(encoder)


@pytest.mark.parametrize("missing", ["no/such/file.pt", "weights.safetensors"])
def test_missing_file_is_refused(missing: str) -> None:
    with pytest.raises(FileNotFoundError, match=f"{missing} is not a file"):
        weights_sha256(Encoder("ViT-B-16", missing))
