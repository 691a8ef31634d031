"""Build an image tower and load its weights from any file format of CLIP weights.

Supported are open_clip's .pt, .bin and .safetensors, OpenAI's TorchScript archive and a plain state
dict, with or without the prefixes `visual.` and `module.`, with open_clip's names or timm's. Files
are unpickled with `weights_only`, so that they cannot execute code.
"""

import logging
import warnings
import zipfile
from collections import Counter
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
from safetensors.torch import load_file
from torch import Tensor

from clip_hparam.config.knob import AUTO
from clip_hparam.config.recipe import Encoder
from clip_hparam.model.architectures import (
    RANDOM,
    architecture_names,
    bundled_clip,
    model_config,
    shape_of,
)
from clip_hparam.model.timm_keys import to_open_clip_keys
from clip_hparam.model.weights_source import fetch_weights
from clip_hparam.records.user_cache import sha256_cached
from clip_hparam.rng import stream

StateDict = dict[str, Tensor]
STATE_DICT_KEYS = ("state_dict", "model")  # of the tensors in open_clip's and FT-CLIP's files
logger = logging.getLogger(__name__)


def build_tower(encoder: Encoder, seed: int = 0) -> VisionTransformer:
    """Return the image tower with the weights that `encoder.pretrained` names.

    What a file holds besides the tower is logged. seed: used for random weights only.

    Raises: ValueError for an architecture that is not a ViT with a class token, and for weights
    that are damaged, not finite, or of another architecture.
    """
    shape_of(encoder.name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(seed, 0, "tower").integers(2**62)))
        tower = create_tower(model_config(encoder.name))
    if encoder.pretrained == RANDOM:
        return tower
    bundled = bundled_clip(encoder)
    if bundled is not None:
        weights = bundled.load_weights()
        state, _ = match_state_dict(tower, weights, encoder.pretrained, encoder.name)
    else:
        path = verified_path(encoder)
        state, report = match_state_dict(tower, read_state_dict(path), path.name, encoder.name)
        logger.info(report)
    tower.load_state_dict(state)
    return tower


def validate_weights(path: Path, name: str) -> None:
    """Raise ValueError if a file does not hold the image tower of the architecture `name`."""
    with torch.device("meta"):
        tower = create_tower(model_config(name))
    match_state_dict(tower, read_state_dict(path), path.name, name)


def create_tower(config: Mapping[str, Any]) -> VisionTransformer:
    """Return a tower of an open_clip config with newly initialised weights."""
    vision = CLIPVisionCfg(**config["vision_cfg"])
    # open_clip has no public function that builds a tower from a config
    return _build_vision_tower(config["embed_dim"], vision, config.get("quick_gelu", False))


def load_text_tower(path: Path, name: str) -> tuple[TextTransformer, float]:
    """Return the text tower of a weight file and the logit scale, the factor on its cosines.

    Raises: ValueError if the file holds no text tower of the architecture `name`.
    """
    config = model_config(name)
    with torch.random.fork_rng(devices=[]):
        text = CLIPTextCfg(**config["text_cfg"])
        tower = _build_text_tower(config["embed_dim"], text, config.get("quick_gelu", False))
    state = {key.removeprefix("module."): tensor for key, tensor in read_state_dict(path).items()}
    prefix = "text." if any(key.startswith("text.") for key in state) else ""
    text_state = {key: state.get(prefix + key) for key in tower.state_dict()}
    for key, expected in tower.state_dict().items():
        tensor = text_state[key]
        if tensor is None or tensor.shape != expected.shape or "logit_scale" not in state:
            raise ValueError(
                f"{path.name} does not hold the text tower of encoder.name={name} ({key}):"
                " try head_init=random, or the file of the whole CLIP"
            )
    tower.load_state_dict(text_state)
    return tower, float(state["logit_scale"].float().exp())


def read_state_dict(path: Path) -> StateDict:
    """Return all tensors of a file by name. Raises ValueError if the file cannot be read safely."""
    try:
        tree = _load_file(path)
    except Exception as error:  # three parsers raise many types for a damaged file
        raise ValueError(
            f"{path.name} does not read as weights ({type(error).__name__}): fetch it again, or"
            " save its state dict as .safetensors"
        ) from error
    for nest in STATE_DICT_KEYS:
        if isinstance(tree, Mapping) and isinstance(tree.get(nest), Mapping):
            tree = tree[nest]
    if not isinstance(tree, Mapping):
        raise ValueError(f"{path.name} holds a {type(tree).__name__}, not a state dict")
    return {str(name): value for name, value in tree.items() if isinstance(value, Tensor)}


def match_state_dict(
    tower: VisionTransformer, state: StateDict, origin: str, name: str
) -> tuple[StateDict, str]:
    """Return the tensors of the tower from a state dict, and a sentence on the unused ones.

    origin: name of the weights in messages.

    Raises: ValueError if a tensor is missing, has another shape, or holds NaN or infinity.
    """
    visual, others = _split_visual(state)
    expected = tower.state_dict()
    misfits = [
        key for key in expected if key not in visual or visual[key].shape != expected[key].shape
    ]
    if misfits:
        raise ValueError(_mismatch_message(origin, name, misfits[0], expected, visual))
    for key in expected:
        if not visual[key].isfinite().all():
            raise ValueError(f"{origin} holds NaN or infinity in {key}: fetch it again")
    unused = Counter(key.split(".")[0] for key in [*others, *(visual.keys() - expected.keys())])
    listed = ", ".join(f"{key} ({count})" for key, count in sorted(unused.items()))
    report = f"{origin}: {len(expected)} tensors of the image tower; not used: {listed or 'none'}"
    return {key: visual[key].to(expected[key].dtype) for key in expected}, report


def verified_path(encoder: Encoder) -> Path:
    """Return the weight file. Raises ValueError if it is not the file of the trial's plan."""
    path = fetch_weights(encoder).path
    if encoder.weights not in (AUTO, sha256_cached(path)):
        raise ValueError(
            f"{path.name} is not the file that this trial was planned with (sha256"
            f" {encoder.weights[:12]}): put that one back, or plan again"
        )
    return path


def _load_file(path: Path) -> Any:
    if path.suffix == ".safetensors":
        return load_file(path)
    if _is_torchscript(path):
        with warnings.catch_warnings():
            # torch.jit is deprecated, and OpenAI's archives of 2021 have no other reader
            warnings.simplefilter("ignore", FutureWarning)
            return torch.jit.load(path, map_location="cpu").state_dict()  # type: ignore[no-untyped-call]
    return torch.load(path, map_location="cpu", weights_only=True)


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _split_visual(state: StateDict) -> tuple[StateDict, list[str]]:
    """Return the tensors of the image tower by open_clip's names, and the names of all others."""
    plain = {key.removeprefix("module."): tensor for key, tensor in state.items()}
    visual = {
        key.removeprefix("visual."): tensor
        for key, tensor in plain.items()
        if key.startswith("visual.")
    }
    others = [key for key in plain if visual and not key.startswith("visual.")]
    return to_open_clip_keys(visual or plain), others


def _mismatch_message(
    origin: str, name: str, key: str, expected: StateDict, visual: StateDict
) -> str:
    """Return a sentence that names a tensor that does not fit, and architectures that would."""
    problem = f"has shape {tuple(visual[key].shape)}" if key in visual else "is not in it"
    fitting = [
        other
        for other in architecture_names()
        if other != name and _matches_architecture(other, visual)
    ]
    advice = f"try encoder.name={' or '.join(fitting)}" if fitting else "try another file"
    return (
        f"{origin} does not hold the image tower of encoder.name={name}: {key} {problem}"
        f" instead of {tuple(expected[key].shape)}; {advice}"
    )


def _matches_architecture(name: str, visual: StateDict) -> bool:
    """Return whether the tensors have an architecture's width, patch size, resolution and depth."""
    shape = shape_of(name)
    tokens = 1 + (shape.resolution // shape.patch) ** 2
    last = f"transformer.resblocks.{shape.blocks - 1}.ln_1.weight"
    beyond = f"transformer.resblocks.{shape.blocks}.ln_1.weight"
    shapes = {
        "conv1.weight": (shape.width, 3, shape.patch, shape.patch),
        "positional_embedding": (tokens, shape.width),
    }
    fits = all(key in visual and tuple(visual[key].shape) == shapes[key] for key in shapes)
    return fits and last in visual and beyond not in visual
