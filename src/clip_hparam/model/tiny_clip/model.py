"""Tiny CLIP: the two-tower model in the package, its weights checked, and zero-shot by prompts.

MODEL_CARD.md beside this file says what it was trained on. torch and open_clip take seconds to
import and are imported where they are used, so that planning a sweep, which needs only sha256(),
stays quick.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clip_hparam.model.normalization import MEAN, STD
from clip_hparam.model.tiny_clip.captions import CHARACTERS, Look, prompts, tokenize

if TYPE_CHECKING:
    from open_clip import CLIP
    from torch import Tensor

__all__ = [
    "CHARACTERS",
    "CHARACTER_PROMPTS",
    "DIGIT_PROMPTS",
    "WEIGHTS",
    "Look",
    "load",
    "model_config",
    "normalize",
    "prompts",
    "sha256",
    "state_dict",
    "tokenize",
    "zero_shot_accuracy",
    "zero_shot_classifier",
]

WEIGHTS = Path(__file__).with_name("tiny_clip.safetensors")

SCANS = [
    Look(weight, slant, "blurred", "white", "black")
    for weight in ("plain", "bold")
    for slant in ("upright", "slanted")
]
SAMPLES = [
    Look("plain", "upright", "sharp", "black", "white"),
    Look("bold", "slanted", "sharp", "white", "black"),
    Look("thin", "upright", "sharp", "white", "blue"),
    *SCANS,
]
DIGIT_PROMPTS = [prompts(digit, SCANS) for digit in "0123456789"]
CHARACTER_PROMPTS = [prompts(character, SAMPLES) for character in CHARACTERS]


def model_config() -> dict[str, Any]:
    """The open_clip model config of both towers: open_clip.CLIP(**model_config()) builds them."""
    config: dict[str, Any] = json.loads(Path(__file__).with_name("config.json").read_text())
    return config


def sha256(weights: Path = WEIGHTS) -> str:
    """The recorded sha256 of a weight file, in hex: its identity, checked when it is loaded.

    Raises ValueError if there is no record beside the file.
    """
    record = weights.with_suffix(".sha256")
    if not record.is_file():
        raise ValueError(_unusable(weights, f"{record.name} is not beside it"))
    return record.read_text().split()[0]


def state_dict(weights: Path = WEIGHTS) -> "dict[str, Tensor]":
    """Parameters by open_clip's names, float32; those of the image tower start with `visual.`.

    Raises ValueError if the file is missing or is not the one that was recorded.
    """
    expected = sha256(weights)
    if not weights.is_file():
        raise ValueError(_unusable(weights, "there is no such file"))
    content = weights.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(_unusable(weights, f"sha256 is {found[:12]}, not {expected[:12]}"))
    from safetensors.torch import load as from_bytes

    return from_bytes(content)


def _unusable(weights: Path, problem: str) -> str:
    return (
        f"the tiny CLIP weights {weights} cannot be used ({problem}): reinstall clip-hparam, or "
        "make them again with `python -m clip_hparam.model.tiny_clip.pretrain`"
    )


def load(weights: Path = WEIGHTS) -> "CLIP":
    """The model with its weights, in evaluation mode; torch's random state is left as it was."""
    import torch
    from open_clip import CLIP

    parameters = state_dict(weights)
    with torch.random.fork_rng(devices=[]):
        model = CLIP(**model_config())
    model.load_state_dict(parameters)
    return model.eval()


def normalize(images: "Tensor") -> "Tensor":
    """Pixels from uint8, or float in [0, 1], to what the image tower takes; (..., 3, H, W)."""
    import torch

    pixels = images.float() / 255 if images.dtype == torch.uint8 else images
    mean, std = (pixels.new_tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return (pixels - mean) / std


def zero_shot_classifier(
    class_prompts: Iterable[list[str]], model: "CLIP | None" = None
) -> "Tensor":
    """Unit text embedding of each class, the mean over its prompts: (classes, embed_dim).

    Raises ValueError if a prompt holds a word outside the vocabulary.
    """
    import torch
    from torch.nn import functional as F

    model = model or load()
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

    model = model or load()
    classifier = zero_shot_classifier(class_prompts, model)
    with torch.inference_mode():
        predicted = [
            (model.encode_image(batch, normalize=True) @ classifier.T).argmax(1)
            for batch in torch.split(images, 512)
        ]
    return (torch.cat(predicted) == labels).double().mean().item()
