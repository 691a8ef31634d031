"""Identify the weights of an encoder: their sha256, their normalization, whether they fit.

Imports no torch.
"""

from contextlib import suppress
from functools import cache
from pathlib import Path

from clip_hparam.config.recipe import Encoder
from clip_hparam.model.architectures import RANDOM, bundled_clip
from clip_hparam.model.normalization import CLIP_NORMALIZATION
from clip_hparam.model.weights_source import WeightsFile, fetch_weights
from clip_hparam.records.atomic import write_json
from clip_hparam.records.user_cache import cache_path, sha256_cached


def weights_sha256(encoder: Encoder) -> str:
    """Return the sha256 of the weights in hex, or "random".

    Raises: ValueError for weights of another architecture, FileNotFoundError for a file that does
    not exist and cannot be fetched.
    """
    if encoder.pretrained == RANDOM:
        return RANDOM
    bundled = bundled_clip(encoder)
    if bundled is not None:
        return bundled.recorded_sha256()
    path = fetch_weights(encoder).path
    digest = sha256_cached(path)
    _validate_tower(path, digest, encoder.name, "image")
    return digest


def validate_text_tower(encoder: Encoder) -> None:
    """Raise ValueError if the weights do not include a text tower of the architecture."""
    file = _weights_file(encoder)
    if file is not None:
        _validate_tower(file.path, sha256_cached(file.path), encoder.name, "text")


def normalization_of(encoder: Encoder) -> str:
    """Return the value of `encoder.pixels` that the weights were trained with.

    Raises: as `weights_sha256` does.
    """
    file = _weights_file(encoder)
    return CLIP_NORMALIZATION if file is None else file.normalization


def _weights_file(encoder: Encoder) -> WeightsFile | None:
    """Return the file of the weights; None for random and for bundled weights."""
    if encoder.pretrained == RANDOM or bundled_clip(encoder) is not None:
        return None
    return fetch_weights(encoder)


@cache
def _validate_tower(path: Path, digest: str, name: str, tower: str) -> None:
    """Raise ValueError for a file that does not hold an architecture's "image" or "text" tower.

    The check reads the file with torch, at plan time, so that a sweep with a wrong file does not
    start. The user's cache keeps the names of files that passed.
    """
    entry = cache_path("fits", f"{digest} {name} {tower}")
    if entry.is_file():
        return
    from clip_hparam.model.tower import load_text_tower, validate_weights  # lazy: open_clip, 3 s

    validate_weights(path, name) if tower == "image" else load_text_tower(path, name)
    with suppress(OSError):
        write_json(entry, {"sha256": digest, "encoder": name})
