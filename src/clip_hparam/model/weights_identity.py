"""Identify the weights of an encoder: their sha256, their normalization, whether they fit.

Imports no torch.
"""

from contextlib import suppress
from functools import cache
from typing import NamedTuple

from clip_hparam.config.recipe import Encoder
from clip_hparam.model.architectures import RANDOM, bundled_clip
from clip_hparam.model.normalization import CLIP_NORMALIZATION
from clip_hparam.model.weights_source import WeightsFile, fetch_weights
from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.user_cache import cache_path, sha256_cached

RULES = 2
"""Version of the checks: increase it with a stricter check, so that cached results expire."""


class CheckedWeights(NamedTuple):
    """The sha256 of weights that fit an architecture, and the patches along a side they are for."""

    sha256: str
    grid: int


def weights_sha256(encoder: Encoder) -> str:
    """Return the sha256 of the weights in hex, or "random".

    Those of a file are identified by the sha256 of the file; those that FILE:KEY chooses instead of
    the default of FILE have a sha256 of their own.

    Raises: ValueError for weights of another architecture, FileNotFoundError for a file that does
    not exist and cannot be fetched.
    """
    if encoder.pretrained == RANDOM:
        return RANDOM
    bundled = bundled_clip(encoder)
    if bundled is not None:
        return bundled.recorded_sha256()
    return _checked(fetch_weights(encoder), encoder.name, "image").sha256


def weights_grid(encoder: Encoder) -> int | None:
    """Return the patches along a side of the image that the weights are for.

    None for random and for bundled weights, which are for the architecture's own resolution.

    Raises: as `weights_sha256` does.
    """
    file = _weights_file(encoder)
    return None if file is None else _checked(file, encoder.name, "image").grid


def validate_part(encoder: Encoder, part: str) -> None:
    """Raise ValueError if the weights do not include a part of the architecture.

    part: "text", the text tower, or "projection", what pool=clip reads beside the image tower.
    """
    file = _weights_file(encoder)
    if file is not None:
        _checked(file, encoder.name, part)


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


def _checked(file: WeightsFile, name: str, part: str) -> CheckedWeights:
    return _validate_once(file, sha256_cached(file.path), name, part)


@cache
def _validate_once(file: WeightsFile, digest: str, name: str, part: str) -> CheckedWeights:
    """Return facts about the weights; ValueError if they hold no such part of an architecture.

    The check reads the file with torch, at plan time, so that a sweep with a wrong file does not
    start. The user's cache keeps the weights that passed.

    digest: sha256 of the file. part: "image", "projection" or "text".
    """
    key = f" {file.key}" if file.key else ""
    entry = cache_path("towers", f"{RULES} {digest} {name} {part}{key}")
    known = read_json(entry) or {}
    if "sha256" in known and "grid" in known:
        return CheckedWeights(str(known["sha256"]), int(known["grid"]))
    from clip_hparam.model.tower import validate_weights  # lazy: open_clip, 3 s

    tensors = validate_weights(file, name, part)
    checked = CheckedWeights(tensors.identity(digest), tensors.grid)
    with suppress(OSError):
        write_json(entry, {**checked._asdict(), "encoder": name})
    return checked
