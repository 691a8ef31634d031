"""A head made of words: what CLIP's text tower says of each class.

head_init=zero_shot starts a fine-tuning where zero-shot CLIP stands (Wortsman et al., "Robust
fine-tuning of zero-shot models", 2022): a class's weights are the mean of the unit embeddings of
its prompts, made a unit again, times CLIP's own logit scale; the bias is 0. The prompts of
ImageNet are the 80 of the CLIP paper, as open_clip has them.
"""

import json
from collections.abc import Sequence
from contextlib import suppress

import torch
import torch.nn.functional as F
from open_clip import get_tokenizer
from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES, OPENAI_IMAGENET_TEMPLATES
from safetensors.torch import load_file, save
from torch import Tensor

from clip_hparam.config.recipe import Encoder
from clip_hparam.model.architectures import TINY
from clip_hparam.model.tiny_clip import model as tiny_clip
from clip_hparam.model.tiny_clip.captions import prompts
from clip_hparam.model.weights import load_text_tower, verified_path
from clip_hparam.records.atomic import write_atomic
from clip_hparam.records.user_cache import cache_path, sha256_cached


def head_weights(encoder: Encoder, data: str, classes: Sequence[str]) -> Tensor:
    """Weights of the head, float32, (classes, embed_dim); kept in the user's cache folder.

    Raises ValueError for a weight file without a text tower.
    """
    texts = class_prompts(encoder.name, data, classes)
    if encoder.pretrained == TINY:
        model = tiny_clip.load_model()
        scale: Tensor = model.logit_scale.detach().exp()
        return scale * tiny_clip.zero_shot_classifier(texts, model)
    path = verified_path(encoder)
    asked = json.dumps([sha256_cached(path), encoder.name, texts])
    entry = cache_path("heads", asked).with_suffix(".safetensors")
    if not entry.is_file():
        made = _embed_prompts(encoder, texts)
        with suppress(OSError):
            entry.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(entry, save({"head": made}))
        return made
    kept: Tensor = load_file(entry)["head"]
    return kept


def class_prompts(encoder: str, data: str, classes: Sequence[str]) -> list[list[str]]:
    """What is said of each class; names of folders are words parted by _ or -."""
    if encoder == TINY:
        return [prompts(name, tiny_clip.SCAN_STYLES) for name in classes]
    if data == "digits":
        return [[f'a photo of the number: "{name}".'] for name in classes]
    plain = [name.replace("_", " ").replace("-", " ") for name in classes]
    names = IMAGENET_CLASSNAMES if data == "imagenet" else plain
    return [[template(name) for template in OPENAI_IMAGENET_TEMPLATES] for name in names]


def _embed_prompts(encoder: Encoder, texts: Sequence[Sequence[str]]) -> Tensor:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tower, logit_scale = load_text_tower(verified_path(encoder), encoder.name)
    tower, tokenize = tower.to(device).eval(), get_tokenizer(encoder.name)
    with torch.inference_mode():
        means = [
            F.normalize(tower(tokenize(list(of_class)).to(device)), dim=-1).mean(0)
            for of_class in texts
        ]
        return (logit_scale * F.normalize(torch.stack(means), dim=-1).cpu()).clone()
