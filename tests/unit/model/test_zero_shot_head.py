"""A head made of words is what CLIP says, and is refused where CLIP cannot say it."""

from collections.abc import Callable
from pathlib import Path

import open_clip
import pytest
import torch
from support.image_folders import grow, imagenet
from torch import Tensor

from clip_hparam.config.recipe import Encoder, Recipe, with_values
from clip_hparam.model import zero_shot_head
from clip_hparam.model.zero_shot_head import class_prompts, head_weights
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.factory import create_model

NAME = "ViT-S-32"
CLASSES = ("a_cat", "dog", "zebra-fish")
DIGITS = ("0", "7")
Saved = Callable[[Callable[[dict[str, Tensor]], dict[str, Tensor]]], Encoder]
WORDS = {"pool": "clip", "head_init": "zero_shot"}


@pytest.fixture(scope="module")
def model() -> open_clip.CLIP:
    torch.manual_seed(0)
    return open_clip.create_model(NAME).eval()


@pytest.fixture
def saved(model: open_clip.CLIP, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    """An Encoder of a file with the model's tensors, changed by a function."""
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))

    def save(change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Encoder:
        torch.save(change(model.state_dict()), tmp_path / "weights.pt")
        return Encoder(NAME, str(tmp_path / "weights.pt"))

    return save


def as_it_is(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return state


def apart(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """As CustomTextCLIP, in parallel training, names them."""
    alone = ("visual.", "logit_scale")
    return {
        f"module.{key if key.startswith(alone) else f'text.{key}'}": tensor
        for key, tensor in state.items()
    }


def image_only(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: tensor for key, tensor in state.items() if key.startswith("visual.")}


@pytest.mark.parametrize("change", [as_it_is, apart])
def test_the_head_is_what_open_clips_own_model_says_of_the_classes(
    model: open_clip.CLIP, saved: Saved, change: Callable[..., dict[str, Tensor]]
) -> None:
    tokenize = open_clip.get_tokenizer(NAME)
    with torch.no_grad():
        means = [
            model.encode_text(tokenize(texts), normalize=True).mean(0)
            for texts in class_prompts(NAME, "digits", DIGITS)
        ]
        units = torch.nn.functional.normalize(torch.stack(means), dim=-1)
        expected = model.logit_scale.exp() * units
    found = head_weights(saved(change), "digits", DIGITS)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_a_head_is_made_once(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = saved(as_it_is)
    first = head_weights(encoder, "digits", DIGITS)
    monkeypatch.setattr(zero_shot_head, "load_text_tower", None)
    assert torch.equal(head_weights(encoder, "digits", DIGITS), first)
    with pytest.raises(TypeError):
        head_weights(encoder, "digits", DIGITS[:1])


def test_prompts_are_sentences_about_the_class() -> None:
    of_cat = class_prompts(NAME, "folder", CLASSES)[0]
    assert len(of_cat) == 80
    assert "a photo of a a cat." in of_cat
    first, *_, last = class_prompts(NAME, "imagenet", ["n"] * 1000)
    assert "a photo of a tench." in first
    assert "a photo of a toilet paper." in last
    assert class_prompts(NAME, "digits", "07")[1] == ['a photo of the number: "7".']


def test_a_tower_without_its_words_is_refused_at_plan_time(saved: Saved) -> None:
    encoder = saved(image_only)
    values = {**WORDS, "encoder.name": NAME, "encoder.pretrained": encoder.pretrained}
    assert resolve(with_values(Recipe(), {**values, "head_init": "random"}))
    with pytest.raises(ValueError, match=r"does not hold the text tower.*try head_init=random"):
        resolve(with_values(Recipe(), values))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"pool": "cls"}, "pool=cls reads another: try pool=clip"),
        ({"encoder.pretrained": "random"}, "not random: try head_init=random"),
        ({"head_init_scale": 1.0}, r"head_init_scale=1 scales a random head.*leave it at 0\.001"),
        (
            {"encoder.name": "roberta-ViT-B-32", "encoder.pretrained": "FILE"},
            "reads words with roberta-base",
        ),
    ],
)
def test_where_there_are_no_words_a_sentence_says_why(
    values: dict[str, object], sentence: str, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(as_it_is).pretrained
    given = {name: path if value == "FILE" else value for name, value in values.items()}
    monkeypatch.setattr("clip_hparam.planning.resolve.weights_sha256", lambda encoder: "00")
    with pytest.raises(ValueError, match=sentence):
        resolve(with_values(Recipe(), {**WORDS, **given}))


def test_tiny_clip_is_not_asked_about_cats(tmp_path: Path) -> None:
    root = grow(tmp_path / "images", {"cat": 8, "7": 8})
    values = {"data.name": "folder", "data.root": str(root), "data.shots": 3, "data.selection": 2.0}
    with pytest.raises(ValueError, match="knows characters only, no class cat"):
        resolve(with_values(Recipe(batch_size=2), {**WORDS, **values}))


def test_the_names_of_imagenet_go_by_number(saved: Saved, tmp_path: Path) -> None:
    root = imagenet(tmp_path / "images")
    values = {
        "data.name": "imagenet",
        "data.root": str(root),
        "data.shots": 3,
        "data.selection": 2.0,
    }
    encoder = {"encoder.name": NAME, "encoder.pretrained": saved(as_it_is).pretrained}
    with pytest.raises(ValueError, match="among 1000, and there are 3"):
        resolve(with_values(Recipe(batch_size=2), {**WORDS, **values, **encoder}))


def test_a_head_of_words_has_no_bias() -> None:
    model = create_model(resolve(with_values(Recipe(), WORDS)), 10)
    assert not model.head.bias.any()
    lengths = model.head.weight.detach().norm(dim=1)
    torch.testing.assert_close(lengths, lengths[0].expand(10))
