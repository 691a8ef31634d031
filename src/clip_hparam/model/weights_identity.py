"""Identify the weights of an encoder: their sha256, their normalization, whether they fit.

Imports no torch.
"""

from contextlib import suppress
from functools import cache
from pathlib import Path

from clip_hparam.config.recipe import Encoder
from clip_hparam.model.architectures import RANDOM, TINY
from clip_hparam.model.normalization import CLIP_NORMALIZATION
from clip_hparam.model.pretrained import fetch_weights
from clip_hparam.model.tiny_clip import model as tiny_clip
from clip_hparam.records.atomic import write_json
from clip_hparam.records.user_cache import cache_path, sha256_cached


def weights_sha256(encoder: Encoder) -> str:
    """Identity of the weights, or "random".

    Raises ValueError for weights that are not this architecture's, FileNotFoundError if there is
    no such file and it cannot be had.
    """
    if encoder.pretrained == RANDOM:
        return RANDOM
    if encoder.pretrained != TINY:
        path = fetch_weights(encoder).path
        digest = sha256_cached(path)
        _validate_tower(path, digest, encoder.name, "image")
        return digest
    if encoder.name != TINY:
        raise ValueError(
            f"encoder.pretrained=tiny does not fit encoder.name={encoder.name}:"
            " try encoder.pretrained=random, or a local file"
        )
    return tiny_clip.recorded_sha256()


def validate_text_tower(encoder: Encoder) -> None:
    """Raises ValueError for weights that have no text tower of the architecture beside them."""
    if encoder.pretrained not in (TINY, RANDOM):
        path = fetch_weights(encoder).path
        _validate_tower(path, sha256_cached(path), encoder.name, "text")


def normalization_of(encoder: Encoder) -> str:
    """The encoder.pixels that its weights were trained on; raises as `weights_sha256` does."""
    return (
        CLIP_NORMALIZATION
        if encoder.pretrained in (TINY, RANDOM)
        else fetch_weights(encoder).pixels
    )


@cache
def _validate_tower(path: Path, digest: str, name: str, tower: str) -> None:
    """Raises ValueError for a file that does not hold an architecture's "image" or "text" tower.

    It is read with torch when it is seen for the first time, so that a sweep of a wrong file is
    refused before it starts.
    """
    entry = cache_path("fits", f"{digest} {name} {tower}")
    if entry.is_file():
        return
    from clip_hparam.model.weights import load_text_tower, validate_weights

    validate_weights(path, name) if tower == "image" else load_text_tower(path, name)
    with suppress(OSError):
        write_json(entry, {"sha256": digest, "encoder": name})
