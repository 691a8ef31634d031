"""Tiny CLIP: the two-tower model in the package, its weights checked, and zero-shot by prompts.

MODEL_CARD.md beside this file describes its training. torch and open_clip take seconds to import
and are imported where they are used: planning a sweep needs only recorded_sha256().
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clip_hparam.model.normalization import CLIP_MEAN, CLIP_STD
from clip_hparam.model.tiny_clip.captions import CHARACTERS, GlyphStyle, prompts, tokenize

if TYPE_CHECKING:
    from open_clip import CLIP
    from torch import Tensor

WEIGHTS_FILE = Path(__file__).with_name("tiny_clip.safetensors")

SCAN_STYLES = [
    GlyphStyle(weight, slant, "blurred", "white", "black")
    for weight in ("plain", "bold")
    for slant in ("upright", "slanted")
]
SAMPLE_STYLES = [
    GlyphStyle("plain", "upright", "sharp", "black", "white"),
    GlyphStyle("bold", "slanted", "sharp", "white", "black"),
    GlyphStyle("thin", "upright", "sharp", "white", "blue"),
    *SCAN_STYLES,
]
DIGIT_PROMPTS = [prompts(digit, SCAN_STYLES) for digit in "0123456789"]
CHARACTER_PROMPTS = [prompts(character, SAMPLE_STYLES) for character in CHARACTERS]


def model_config() -> dict[str, Any]:
    """The open_clip model config of both towers: open_clip.CLIP(**model_config()) builds them."""
    config: dict[str, Any] = json.loads(Path(__file__).with_name("config.json").read_text())
    return config


def recorded_sha256(weights: Path = WEIGHTS_FILE) -> str:
    """The recorded sha256 of a weight file, in hex: its identity, checked when it is loaded.

    Raises ValueError if there is no record beside the file.
    """
    record = weights.with_suffix(".sha256")
    if not record.is_file():
        raise ValueError(_unusable_message(weights, f"{record.name} is not beside it"))
    return record.read_text().split()[0]


def load_weights(weights: Path = WEIGHTS_FILE) -> "dict[str, Tensor]":
    """Parameters by open_clip's names, float32; those of the image tower start with `visual.`.

    Raises ValueError if the file is missing or is not the one that was recorded.
    """
    expected = recorded_sha256(weights)
    if not weights.is_file():
        raise ValueError(_unusable_message(weights, "there is no such file"))
    content = weights.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(_unusable_message(weights, f"sha256 is {found[:12]}, not {expected[:12]}"))
    from safetensors.torch import load as from_bytes

    return from_bytes(content)


def _unusable_message(weights: Path, problem: str) -> str:
    return (
        f"the tiny CLIP weights {weights} cannot be used ({problem}): reinstall clip-hparam, or "
        "make them again with `python -m clip_hparam.model.tiny_clip.pretrain`"
    )


def load_model(weights: Path = WEIGHTS_FILE) -> "CLIP":
    """The model with its weights, in evaluation mode; torch's random state is left as it was."""
    import torch
    from open_clip import CLIP

    parameters = load_weights(weights)
    with torch.random.fork_rng(devices=[]):
        model = CLIP(**model_config())
    model.load_state_dict(parameters)
    return model.eval()


def normalize(images: "Tensor") -> "Tensor":
    """Pixels from uint8, or float in [0, 1], to what the image tower takes; (..., 3, H, W)."""
    import torch

    pixels = images.float() / 255 if images.dtype == torch.uint8 else images
    mean, std = (pixels.new_tensor(values).view(3, 1, 1) for values in (CLIP_MEAN, CLIP_STD))
    return (pixels - mean) / std


def zero_shot_classifier(
    class_prompts: Iterable[list[str]], model: "CLIP | None" = None
) -> "Tensor":
    """Unit text embedding of each class, the mean over its prompts: (classes, embed_dim).

    Raises ValueError if a prompt holds a word outside the vocabulary.
    """
    import torch
    from torch.nn import functional as F

    model = model or load_model()
    with torch.inference_mode():
        means = [
            model.encode_text(
                torch.tensor([tokenize(text) for text in texts]), normalize=True
            ).mean(0)
            for texts in class_prompts
        ]
        return F.normalize(torch.stack(means), dim=-1)


def zero_shot_accuracy(
    images: "Tensor",
    labels: "Tensor",
    class_prompts: Iterable[list[str]],
    model: "CLIP | None" = None,
) -> float:
    """Share of normalised images (N, 3, 32, 32) nearest to the prompts of their own class."""
    import torch

    model = model or load_model()
    classifier = zero_shot_classifier(class_prompts, model)
    with torch.inference_mode():
        predicted = [
            (model.encode_image(batch, normalize=True) @ classifier.T).argmax(1)
            for batch in torch.split(images, 512)
        ]
    return (torch.cat(predicted) == labels).double().mean().item()
