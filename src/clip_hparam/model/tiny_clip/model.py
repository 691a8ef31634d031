"""Tiny CLIP, the two-tower model of 0.3 M parameters in the package: weights and zero-shot use.

MODEL_CARD.md in this folder describes the training. The module is an `architectures.BundledClip`.
It imports torch and open_clip lazily (3 s), because planning needs only `recorded_sha256`.
"""

import hashlib
import json
import string
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
DIGIT_PROMPTS = [prompts(digit, SCAN_STYLES) for digit in string.digits]
CHARACTER_PROMPTS = [prompts(character, SAMPLE_STYLES) for character in CHARACTERS]


def scan_prompts(character: str) -> list[str]:
    """Return the zero-shot prompts of a character that looks like a scanned digit."""
    return prompts(character, SCAN_STYLES)


def model_config() -> dict[str, Any]:
    """Return open_clip's config of both towers; `open_clip.CLIP(**model_config())` builds them."""
    config: dict[str, Any] = json.loads(Path(__file__).with_name("config.json").read_text())
    return config


def recorded_sha256(weights: Path = WEIGHTS_FILE) -> str:
    """Return the recorded sha256 of a weight file in hex; `load_weights` compares the file with it.

    Raises: ValueError if the file with the sha256 is missing.
    """
    record = weights.with_suffix(".sha256")
    if not record.is_file():
        raise ValueError(_unusable_message(weights, f"{record.name} is missing in its folder"))
    return record.read_text().split()[0]


def load_weights(weights: Path = WEIGHTS_FILE) -> "dict[str, Tensor]":
    """Return the parameters by open_clip's names, float32; `visual.` prefixes the image tower.

    Raises: ValueError if the file is missing or its sha256 is not the recorded one.
    """
    expected = recorded_sha256(weights)
    if not weights.is_file():
        raise ValueError(_unusable_message(weights, "the file does not exist"))
    content = weights.read_bytes()
    actual = hashlib.sha256(content).hexdigest()
    if actual != expected:
        problem = f"sha256 is {actual[:12]}, not {expected[:12]}"
        raise ValueError(_unusable_message(weights, problem))
    from safetensors.torch import load as from_bytes  # lazy: torch, 1.2 s

    return from_bytes(content)


def _unusable_message(weights: Path, problem: str) -> str:
    return (
        f"the tiny CLIP weights {weights} cannot be used ({problem}): reinstall clip-hparam, or "
        "make them again with `python -m clip_hparam.model.tiny_clip.pretrain`"
    )


def load_model(weights: Path = WEIGHTS_FILE) -> "CLIP":
    """Return the model with its weights in evaluation mode; keep torch's random state."""
    import torch  # lazy: torch, 1.2 s
    from open_clip import CLIP

    parameters = load_weights(weights)
    with torch.random.fork_rng(devices=[]):
        model = CLIP(**model_config())
    model.load_state_dict(parameters)
    return model.eval()


def normalize(images: "Tensor") -> "Tensor":
    """Return images normalised for the image tower, float, shape (..., 3, h, w).

    images: uint8, or float in [0, 1].
    """
    import torch  # lazy: torch, 1.2 s

    pixels = images.float() / 255 if images.dtype == torch.uint8 else images
    mean, std = (pixels.new_tensor(values).view(3, 1, 1) for values in (CLIP_MEAN, CLIP_STD))
    return (pixels - mean) / std


def zero_shot_classifier(
    class_prompts: Iterable[list[str]], model: "CLIP | None" = None
) -> "Tensor":
    """Return unit text embeddings, the mean over the prompts of a class: (classes, embed_dim).

    Raises: ValueError if a prompt has a word that is not in the vocabulary.
    """
    import torch  # lazy: torch, 1.2 s
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


def zero_shot_head(class_prompts: Iterable[list[str]]) -> "Tensor":
    """Return weights of a linear head, (classes, embed_dim): unit embeddings times logit scale."""
    model = load_model()
    scale: Tensor = model.logit_scale.detach().exp()
    return scale * zero_shot_classifier(class_prompts, model)


def zero_shot_accuracy(
    images: "Tensor",
    labels: "Tensor",
    class_prompts: Iterable[list[str]],
    model: "CLIP | None" = None,
) -> float:
    """Return the share of images that are nearest to the prompts of their own class, in [0, 1].

    images: normalised, float32, shape (n, 3, 32, 32); labels: int64, shape (n,).
    """
    import torch  # lazy: torch, 1.2 s

    model = model or load_model()
    classifier = zero_shot_classifier(class_prompts, model)
    with torch.inference_mode():
        predicted = [
            (model.encode_image(batch, normalize=True) @ classifier.T).argmax(1)
            for batch in torch.split(images, 512)
        ]
    return (torch.cat(predicted) == labels).double().mean().item()
