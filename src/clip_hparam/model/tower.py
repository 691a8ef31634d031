"""Build the towers of a CLIP and load their weights from a file, a tag or the package."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from open_clip.model import (
    CLIPTextCfg,
    CLIPVisionCfg,
    _build_text_tower,
    _build_vision_tower,
)
from open_clip.transformer import TextTransformer, VisionTransformer
from torch import nn

from clip_hparam.config.knob import AUTO
from clip_hparam.config.recipe import Encoder
from clip_hparam.model.architectures import (
    RANDOM,
    bundled_clip,
    model_config,
    patch_grid,
    shape_of,
)
from clip_hparam.model.weights_matching import POSITIONS, PROJECTION, match_weights, validate_values
from clip_hparam.model.weights_selection import TowerTensors, read_tower, select_tower
from clip_hparam.model.weights_source import WeightsFile, fetch_weights
from clip_hparam.records.user_cache import sha256_cached
from clip_hparam.rng import stream

logger = logging.getLogger(__name__)


def build_tower(
    encoder: Encoder, seed: int = 0, resolution: int | None = None
) -> VisionTransformer:
    """Return the image tower with the weights that `encoder.pretrained` names.

    What is used of a file is logged. seed: used for random weights only. resolution: of the images,
    for a file of weights of another resolution than the architecture's own; None: the
    architecture's own.

    Raises: ValueError for an architecture that is not a ViT with a class token, and for weights
    that are damaged, not finite, or of another architecture.
    """
    shape = shape_of(encoder.name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(seed, 0, "tower").integers(2**62)))
        tower = create_tower(model_config(encoder.name))
    if encoder.pretrained == RANDOM:
        return tower
    bundled = bundled_clip(encoder)
    if bundled is not None:
        tower.load_state_dict(select_tower(bundled.load_weights(), Path(encoder.name)).visual)
        return tower
    file, tensors = verified_weights(encoder)
    grid = patch_grid(resolution or shape.resolution, shape.patch)
    initial = tower.state_dict()
    matched = match_weights(initial, tensors, file.label, encoder.name, grid)
    logger.info(matched.report)
    positions = matched.state[POSITIONS].clone(memory_format=torch.contiguous_format)
    tower.positional_embedding = nn.Parameter(positions)  # its own memory: training writes to it
    tower.load_state_dict({**initial, **matched.state})
    return tower


def create_tower(config: Mapping[str, Any]) -> VisionTransformer:
    """Return a tower of an open_clip config with newly initialised weights."""
    vision = CLIPVisionCfg(**config["vision_cfg"])
    # open_clip has no public function that builds a tower from a config
    return _build_vision_tower(config["embed_dim"], vision, config.get("quick_gelu", False))


def verified_weights(encoder: Encoder) -> tuple[WeightsFile, TowerTensors]:
    """Return the weight file and its image tower.

    Raises: ValueError if these are not the weights of the trial's plan, or cannot be read.
    """
    file = fetch_weights(encoder)
    tensors = read_tower(file.path, file.key)
    if encoder.weights not in (AUTO, tensors.identity(sha256_cached(file.path))):
        raise ValueError(
            f"{file.label} does not hold the weights that this trial was planned with (sha256"
            f" {encoder.weights[:12]}): put that file back, or plan again"
        )
    return file, tensors


def validate_weights(file: WeightsFile, name: str, part: str) -> TowerTensors:
    """Return the tensors of a file that holds a part of the architecture `name`.

    part: "image", "projection" (what pool=clip reads beside the image tower), or "text".

    Raises: ValueError if the file does not hold it.
    """
    tensors = read_tower(file.path, file.key)
    if part == "text":
        load_text_tower(tensors, file.label, name)
        return tensors
    with torch.device("meta"):
        expected = create_tower(model_config(name)).state_dict()
    shape = shape_of(name)
    grid = patch_grid(shape.resolution, shape.patch)
    matched = match_weights(expected, tensors, file.label, name, grid)
    missing = [key for key in PROJECTION if key in expected and key not in matched.state]
    if part == "projection" and missing:
        raise ValueError(
            f"{file.label} does not hold {missing[0]}, which pool=clip reads: try pool=patch_mean,"
            " or the file of the whole CLIP"
        )
    return tensors


def load_text_tower(tensors: TowerTensors, origin: str, name: str) -> tuple[TextTransformer, float]:
    """Return the text tower beside an image tower, and the logit scale, the factor on its cosines.

    origin: name of the weights in messages.

    Raises: ValueError if there is no text tower of the architecture `name`.
    """
    config = model_config(name)
    with torch.random.fork_rng(devices=[]):
        text = CLIPTextCfg(**config["text_cfg"])
        tower = _build_text_tower(config["embed_dim"], text, config.get("quick_gelu", False))
    state = tensors.beside
    prefix = "text." if any(key.startswith("text.") for key in state) else ""
    text_state = {key: state.get(prefix + key) for key in tower.state_dict()}
    for key, expected in tower.state_dict().items():
        tensor = text_state[key]
        if tensor is None or tensor.shape != expected.shape or "logit_scale" not in state:
            raise ValueError(
                f"{origin} does not hold the text tower of encoder.name={name} ({key}):"
                " try head_init=random, or the file of the whole CLIP"
            )
        validate_values(key, tensor, origin)
    validate_values("logit_scale", state["logit_scale"], origin)
    tower.load_state_dict(text_state)
    return tower, float(state["logit_scale"].float().exp())
