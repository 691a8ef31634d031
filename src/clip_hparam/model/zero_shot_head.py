"""Weights of a classification head from the text tower of CLIP (head_init=zero_shot).

The weights of a class are the mean of the unit embeddings of its prompts, normalised again, times
CLIP's logit scale; the bias is 0. Fine-tuning then starts at the accuracy of zero-shot CLIP.
Source: Wortsman et al., "Robust fine-tuning of zero-shot models", 2022.
"""

import json
from collections.abc import Sequence
from contextlib import suppress

import torch
import torch.nn.functional as F
from open_clip import get_tokenizer
from safetensors.torch import load_file, save
from torch import Tensor

from clip_hparam.config.recipe import Encoder
from clip_hparam.model.architectures import bundled_clip
from clip_hparam.model.tower import load_text_tower, verified_weights
from clip_hparam.model.weights_identity import weights_sha256
from clip_hparam.records.atomic import write_atomic
from clip_hparam.records.user_cache import cache_path

Prompts = Sequence[Sequence[str]]
"""Prompts of each class."""


def head_weights(encoder: Encoder, prompts: Prompts, device: torch.device | None = None) -> Tensor:
    """Return the weights of the head on the CPU, float32, shape (classes, embed_dim).

    Weights of a file are kept in the user's cache folder.
    device: computes the embeddings; None is the CPU.

    Raises: ValueError for a weight file without a text tower.
    """
    bundled = bundled_clip(encoder)
    if bundled is not None:
        return bundled.zero_shot_head([list(texts) for texts in prompts])
    key = json.dumps([weights_sha256(encoder), encoder.name, prompts])
    entry = cache_path("heads", key).with_suffix(".safetensors")
    if entry.is_file():
        cached: Tensor = load_file(entry)["head"]
        return cached
    weights = _embed_prompts(encoder, prompts, device or torch.device("cpu"))
    with suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(entry, save({"head": weights}))
    return weights


def _embed_prompts(encoder: Encoder, prompts: Prompts, device: torch.device) -> Tensor:
    file, tensors = verified_weights(encoder)
    tower, logit_scale = load_text_tower(tensors, file.label, encoder.name)
    tower, tokenize = tower.to(device).eval(), get_tokenizer(encoder.name)
    with torch.inference_mode():
        means = [
            F.normalize(tower(tokenize(list(texts)).to(device)), dim=-1).mean(0)
            for texts in prompts
        ]
        return (logit_scale * F.normalize(torch.stack(means), dim=-1).cpu()).clone()
