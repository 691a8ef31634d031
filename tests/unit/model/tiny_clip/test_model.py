"""Tiny CLIP: recorded weights, zero-shot accuracy, glyphs, and reproducible pre-training."""

import hashlib
import shutil
from pathlib import Path

import open_clip
import pytest
import torch

from clip_hparam.model import normalization
from clip_hparam.model.tiny_clip import model as tiny_clip
from clip_hparam.model.tiny_clip import pretrain


@pytest.fixture(scope="module")
def model() -> open_clip.CLIP:
    return tiny_clip.load_model()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for file in (tiny_clip.WEIGHTS_FILE, tiny_clip.WEIGHTS_FILE.with_suffix(".sha256")):
        shutil.copy(file, tmp_path)
    return tmp_path / tiny_clip.WEIGHTS_FILE.name


def test_installed_weights_have_the_recorded_sha256_and_are_small() -> None:
    assert (
        hashlib.sha256(tiny_clip.WEIGHTS_FILE.read_bytes()).hexdigest()
        == tiny_clip.recorded_sha256()
    )
    assert tiny_clip.WEIGHTS_FILE.stat().st_size <= 3_000_000


def test_weights_have_all_parameters_of_the_config() -> None:
    shapes = {name: tensor.shape for name, tensor in tiny_clip.load_weights().items()}
    built = open_clip.CLIP(**tiny_clip.model_config()).state_dict()
    assert shapes == {name: tensor.shape for name, tensor in built.items()}


def test_clip_normalization_equals_open_clips() -> None:
    assert normalization.NORMALIZATIONS["clip"] == (
        open_clip.OPENAI_DATASET_MEAN,
        open_clip.OPENAI_DATASET_STD,
    )


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "record"])
def test_damaged_weights_are_refused_with_the_command_to_type(copied: Path, damage: str) -> None:
    content = bytearray(copied.read_bytes())
    content[-1] ^= 1
    if damage == "flip":
        copied.write_bytes(content)
    elif damage == "cut":
        copied.write_bytes(content[:-100])
    else:
        (copied if damage == "remove" else copied.with_suffix(".sha256")).unlink()
    with pytest.raises(
        ValueError, match=r"reinstall clip-hparam.*clip_hparam\.model\.tiny_clip\.pretrain"
    ) as error:
        tiny_clip.load_weights(copied)
    assert "\n" not in str(error.value)


def test_zero_shot_recognises_characters_in_held_out_faces(
    model: open_clip.CLIP,
) -> None:
    assert pretrain.held_out_accuracy(model, 62 * 10) >= 0.3


def test_zero_shot_recognises_handwritten_digits(model: open_clip.CLIP) -> None:
    assert pretrain.digits_accuracy(model) >= 0.3


def test_class_embedding_is_a_unit_vector_and_ignores_prompt_order(
    model: open_clip.CLIP,
) -> None:
    forward = tiny_clip.zero_shot_classifier(tiny_clip.CHARACTER_PROMPTS, model)
    backward = tiny_clip.zero_shot_classifier([p[::-1] for p in tiny_clip.CHARACTER_PROMPTS], model)
    assert forward.shape == (62, tiny_clip.model_config()["embed_dim"])
    torch.testing.assert_close(forward.norm(dim=1), torch.ones(62))
    torch.testing.assert_close(forward, backward)


def test_load_model_keeps_the_random_state() -> None:
    before = torch.get_rng_state()
    tiny_clip.load_model()
    assert torch.equal(torch.get_rng_state(), before)
