"""Zero-shot heads equal those of open_clip and are refused without class names or text tower."""

from collections.abc import Callable
from pathlib import Path

import open_clip
import pytest
import torch
from support.image_folders import grow, imagenet
from torch import Tensor

from clip_hparam.config.recipe import Encoder, Recipe, with_values
from clip_hparam.data.prompts.dataset_prompts import class_prompts
from clip_hparam.model import zero_shot_head
from clip_hparam.model.zero_shot_head import head_weights
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.factory import create_model

NAME = "ViT-S-32"
PROMPTS = (("a photo of a cat", "cat"), ("the drawing of two red dogs", "dog"))
Saved = Callable[[Callable[[dict[str, Tensor]], dict[str, Tensor]]], Encoder]
WORDS = {"pool": "clip", "head_init": "zero_shot"}


@pytest.fixture(scope="module")
def model() -> open_clip.CLIP:
    """Return a model whose embeddings of different words differ in direction and norm."""
    torch.manual_seed(0)
    model = open_clip.create_model(NAME).eval()
    model.token_embedding.weight.data.mul_(50)
    return model


@pytest.fixture
def saved(model: open_clip.CLIP, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    """Return a function that saves the changed tensors of the model as the file of an Encoder."""
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))

    def save(change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Encoder:
        torch.save(change(model.state_dict()), tmp_path / "weights.pt")
        return Encoder(NAME, str(tmp_path / "weights.pt"))

    return save


def unchanged(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return state


def custom_text_clip(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the tensors as CustomTextCLIP does in parallel training."""
    alone = ("visual.", "logit_scale")
    return {
        f"module.{key if key.startswith(alone) else f'text.{key}'}": tensor
        for key, tensor in state.items()
    }


def image_only(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: tensor for key, tensor in state.items() if key.startswith("visual.")}


@pytest.mark.parametrize("change", [unchanged, custom_text_clip])
def test_head_equals_text_embeddings_of_open_clips_model(
    model: open_clip.CLIP, saved: Saved, change: Callable[..., dict[str, Tensor]]
) -> None:
    tokenize = open_clip.get_tokenizer(NAME)
    with torch.no_grad():
        expected, of_raw_embeddings = (
            model.logit_scale.exp() * torch.nn.functional.normalize(torch.stack(means), dim=-1)
            for means in (
                [model.encode_text(tokenize(texts), is_unit).mean(0) for texts in PROMPTS]
                for is_unit in (True, False)
            )
        )
    found = head_weights(saved(change), PROMPTS)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert (found - of_raw_embeddings).abs().max() > 1e-3


def test_head_is_computed_once_and_cached(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = saved(unchanged)
    first = head_weights(encoder, PROMPTS)
    monkeypatch.setattr(zero_shot_head, "load_text_tower", None)
    assert torch.equal(head_weights(encoder, PROMPTS), first)
    with pytest.raises(TypeError):
        head_weights(encoder, PROMPTS[:1])


def test_head_is_computed_on_the_given_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = []

    def embed(encoder: Encoder, prompts: zero_shot_head.Prompts, device: torch.device) -> Tensor:
        devices.append(device.type)
        return torch.zeros(len(prompts), 4)

    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(zero_shot_head, "weights_sha256", lambda encoder: "0")
    monkeypatch.setattr(zero_shot_head, "_embed_prompts", embed)
    head_weights(Encoder(NAME, "a.pt"), PROMPTS)
    head_weights(Encoder(NAME, "a.pt"), PROMPTS[:1], torch.device("cuda", 1))
    assert devices == ["cpu", "cuda"]


def test_weights_without_text_tower_are_refused_at_plan_time(saved: Saved) -> None:
    encoder = saved(image_only)
    values = {**WORDS, "encoder.name": NAME, "encoder.pretrained": encoder.pretrained}
    assert resolve(with_values(Recipe(), {**values, "head_init": "random"}))
    with pytest.raises(ValueError, match=r"does not hold the text tower.*try head_init=random"):
        resolve(with_values(Recipe(), values))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"pool": "cls"}, "pool=cls reads others: try pool=clip"),
        ({"encoder.pretrained": "random"}, "not random: try head_init=random"),
        (
            {"head_init_scale": 1.0},
            r"head_init_scale=1 applies to a random head.*leave it at 0\.001",
        ),
        (
            {"encoder.name": "roberta-ViT-B-32", "encoder.pretrained": "FILE"},
            "uses roberta-base for text",
        ),
    ],
)
def test_impossible_zero_shot_head_is_refused_with_the_reason(
    values: dict[str, object], sentence: str, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(unchanged).pretrained
    given = {name: path if value == "FILE" else value for name, value in values.items()}
    monkeypatch.setattr("clip_hparam.planning.resolve.weights_sha256", lambda encoder: "00")
    with pytest.raises(ValueError, match=sentence):
        resolve(with_values(Recipe(), {**WORDS, **given}))


def test_tiny_clip_refuses_class_names_that_are_no_characters(tmp_path: Path) -> None:
    root = grow(tmp_path / "images", {"cat": 8, "7": 8})
    values = {"data.name": "folder", "data.root": str(root), "data.shots": 3, "data.selection": 2.0}
    with pytest.raises(ValueError, match="no prompts for cat, only for 62 names from 0 to z"):
        resolve(with_values(Recipe(batch_size=2), {**WORDS, **values}))


def test_head_of_an_imagenet_subset_has_the_prompts_of_its_classes(
    saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    def embed(encoder: Encoder, prompts: zero_shot_head.Prompts, device: torch.device) -> Tensor:
        given.extend(prompts)
        return torch.zeros(len(prompts), 384)

    monkeypatch.setattr(zero_shot_head, "_embed_prompts", embed)
    root = imagenet(tmp_path / "images")
    (tmp_path / "two.txt").write_text("n01443537\nn01440764\n")
    text = {"encoder.name": NAME, "encoder.pretrained": saved(unchanged).pretrained, **WORDS}
    data = {"data.name": "imagenet", "data.root": str(root), "data.shots": 3, "data.selection": 2.0}
    subset = {"data.subset": str(tmp_path / "two.txt")}
    recipe = resolve(with_values(Recipe(batch_size=2), {**text, **data, **subset}))
    create_model(recipe, 2)
    assert ["a photo of a tench." in given[0], "a photo of a goldfish." in given[1]] == [True] * 2
    assert given == class_prompts("imagenet", NAME, ["n01440764", "n01443537"])
    with pytest.raises(ValueError, match="prompts for 1,000 classes, and n02084071 is not among"):
        resolve(with_values(Recipe(batch_size=2), {**text, **data}))  # a WordNet id of no class


def test_zero_shot_head_has_no_bias_and_equal_lengths() -> None:
    model = create_model(resolve(with_values(Recipe(), WORDS)), 10)
    assert not model.head.bias.any()
    lengths = model.head.weight.detach().norm(dim=1)
    torch.testing.assert_close(lengths, lengths[0].expand(10))
