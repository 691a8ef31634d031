"""Pretrained tags: fetched once, identified by their sha256, refused with what to type."""

import hashlib
from pathlib import Path

import huggingface_hub
import open_clip
import open_clip.pretrained
import pytest
from safetensors.torch import save_file

from clip_hparam.config.recipe import Encoder
from clip_hparam.model import architectures, tower, weights_source
from clip_hparam.model.normalization import NORMALIZATIONS
from clip_hparam.model.tiny_clip import model as tiny_clip
from clip_hparam.model.weights_identity import normalization_of, weights_sha256
from clip_hparam.model.weights_source import _normalization_of_tag, fetch_weights

OPENAI = Encoder("ViT-B-16-quickgelu", "openai")
pytestmark = pytest.mark.usefixtures("own_cache")
WHICH = (
    r"get open_clip_model\.safetensors or .* of timm/vit_base_patch16_clip_224\.openai on .*"
    r" pass it as encoder\.pretrained=PATH"
)


@pytest.mark.parametrize(
    ("name", "tag", "sentence"),
    [
        ("ViT-B-16", "laion400m", "neither a file nor a tag.*did you mean laion400m_e3"),
        ("ViT-B-16", "openai", "try encoder.name=ViT-B-16-quickgelu"),
        ("ViT-L-14", "dfn2b", "try encoder.name=ViT-L-14-quickgelu"),
        ("ViT-B-16", "tiny", "does not fit"),
    ],
)
def test_tag_of_another_architecture_is_refused(name: str, tag: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as error:
        weights_sha256(Encoder(name, tag))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("gone.pt:model_ema", "gone.pt:model_ema is not a file: type the path"),
        ("sub/gone.pt", "sub/gone.pt is not a file"),
        ("empty", "empty is a folder: type the path"),
        (
            "a run",
            "a run is a folder: try 'encoder.pretrained=\"a run/best.safetensors\"', or type",
        ),
        ("nosuch", "nosuch is neither a file nor a tag of .*: choose from random, tiny"),
    ],
)
def test_wrong_place_is_refused_with_what_to_type(
    typed: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("empty", "a run"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a run" / "best.safetensors").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    with pytest.raises((FileNotFoundError, ValueError), match=sentence) as error:
        fetch_weights(Encoder("tiny", typed))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("error", [OSError("no route"), FileNotFoundError("hub"), RuntimeError()])
def test_error_without_network_names_the_file_and_how_to_pass_it(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> str:
        raise error

    monkeypatch.setattr(open_clip.pretrained, "download_pretrained", fail)
    with pytest.raises(FileNotFoundError, match=WHICH):
        weights_sha256(OPENAI)


def test_unreachable_hub_is_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def fail(url: str) -> None:
        asked.append(url)
        raise Exception("whatever its HTTP library raises")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", fail)
    monkeypatch.setattr(open_clip.pretrained, "download_pretrained", asked.append)
    with pytest.raises(FileNotFoundError, match=WHICH) as error:
        weights_sha256(OPENAI)
    assert "\n" not in str(error.value)
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"])
def test_file_in_the_cache_of_the_hub_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    held = {("timm/vit_base_patch16_clip_224.openai", name): str(tmp_path / name)}
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *asked: held.get(asked))
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", None)
    monkeypatch.setattr(open_clip.pretrained, "download_pretrained", None)
    assert fetch_weights(OPENAI).path == tmp_path / name


def test_each_tag_has_a_named_normalization() -> None:
    for name, tag in open_clip.list_pretrained():
        if name in set(architectures.architecture_names()):
            facts = open_clip.get_pretrained_cfg(name, tag)
            assert NORMALIZATIONS[_normalization_of_tag(facts)] == (
                tuple(facts["mean"]),
                tuple(facts["std"]),
            )


@pytest.mark.parametrize(
    ("name", "tag", "pixels"),
    [
        ("ViT-L-14", "laion2b_s32b_b82k", "inception"),
        ("ViT-L-14-CLIPA", "datacomp1b", "imagenet"),
        ("ViT-L-14", "datacomp_xl_s13b_b90k", "clip"),
    ],
)
def test_auto_pixels_are_the_normalization_of_the_tag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, tag: str, pixels: str
) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"")
    for module in (open_clip.pretrained, huggingface_hub):
        monkeypatch.setattr(module, "try_to_load_from_cache", lambda *_: str(path), raising=False)
    assert normalization_of(Encoder(name, tag)) == pixels
    monkeypatch.setattr(weights_source, "_tag_config", None)
    assert normalization_of(Encoder(name, tag)) == pixels, "read from the cache, without open_clip"


def test_tag_is_downloaded_once_and_identified_by_the_sha256(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fetched.safetensors"
    save_file(tiny_clip.load_weights(), path)
    fetched: list[object] = []
    monkeypatch.setattr(
        open_clip.pretrained,
        "download_pretrained",
        lambda facts: fetched.append(facts) or str(path),
    )
    monkeypatch.setattr(architectures, "model_config", lambda name: tiny_clip.model_config())
    monkeypatch.setattr(tower, "model_config", lambda name: tiny_clip.model_config())
    encoder = Encoder("ViT-B-16-quickgelu", "openai")
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert [weights_sha256(encoder), weights_sha256(encoder)] == [expected, expected]
    assert len(fetched) == 1
