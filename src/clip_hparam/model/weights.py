"""Build an image tower with its weights, from any of the files that CLIP weights come in.

open_clip's .pt, .bin and .safetensors, OpenAI's TorchScript archive, or a plain state dict, with
or without the prefixes `visual.` and `module.`, in open_clip's names or timm's. No file is ever
unpickled into arbitrary objects.
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
from torch import Tensor

from clip_hparam.config.knob import AUTO
from clip_hparam.config.recipe import Encoder
from clip_hparam.model.architectures import RANDOM, TINY, architecture_names, model_config, shape_of
from clip_hparam.model.pretrained import fetch_weights
from clip_hparam.model.timm_keys import to_open_clip_keys
from clip_hparam.model.tiny_clip import model as tiny_clip
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
    if encoder.pretrained == TINY:
        state, _ = match_state_dict(tower, tiny_clip.load_weights(), "tiny", encoder.name)
    else:
        path = verified_path(encoder)
        state, report = match_state_dict(tower, read_state_dict(path), path.name, encoder.name)
        logger.info(report)
    tower.load_state_dict(state)
    return tower


def validate_weights(path: Path, name: str) -> None:
    """Raises ValueError, as `build_tower` would, for a file that is not of an architecture."""
    with torch.device("meta"):
        tower = create_tower(model_config(name))
    match_state_dict(tower, read_state_dict(path), path.name, name)


def create_tower(config: Mapping[str, Any]) -> VisionTransformer:
    """A tower of an open_clip config, freshly initialised."""
    vision = CLIPVisionCfg(**config["vision_cfg"])
    # the one place that knows how open_clip reads its own configs; there is no public name for it
    return _build_vision_tower(config["embed_dim"], vision, config.get("quick_gelu", False))


def load_text_tower(path: Path, name: str) -> tuple[TextTransformer, float]:
    """The text tower that came with an image tower, and the factor on its cosines (logit scale).

    Raises ValueError for a file that holds no text tower of the architecture.
    """
    config = model_config(name)
    with torch.random.fork_rng(devices=[]):
        text = CLIPTextCfg(**config["text_cfg"])
        tower = _build_text_tower(config["embed_dim"], text, config.get("quick_gelu", False))
    state = {key.removeprefix("module."): tensor for key, tensor in read_state_dict(path).items()}
    prefix = "text." if any(key.startswith("text.") for key in state) else ""
    own = {key: state.get(prefix + key) for key in tower.state_dict()}
    for key, expected in tower.state_dict().items():
        found = own[key]
        if found is None or found.shape != expected.shape or "logit_scale" not in state:
            raise ValueError(
                f"{path.name} does not hold the text tower of encoder.name={name} ({key}):"
                " try head_init=random, or the file of the whole CLIP"
            )
    tower.load_state_dict(own)
    return tower, float(state["logit_scale"].float().exp())


def read_state_dict(path: Path) -> StateDict:
    """All tensors of a file under their own names. Raises ValueError if it does not read safely."""
    try:
        tree = _load_file(path)
    except Exception as error:  # what a damaged or malicious file raises is up to three parsers
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
    """The tensors of a state dict that the tower takes, and a sentence on what is not used.

    Raises ValueError if one is missing, has another shape, or holds NaN or infinity.
    """
    visual, rest = _split_visual(state)
    own = tower.state_dict()
    misfits = [key for key in own if key not in visual or visual[key].shape != own[key].shape]
    if misfits:
        raise ValueError(_mismatch_message(origin, name, misfits[0], own, visual))
    for key in own:
        if not visual[key].isfinite().all():
            raise ValueError(f"{origin} holds NaN or infinity in {key}: fetch it again")
    unused = Counter(key.split(".")[0] for key in [*rest, *(visual.keys() - own.keys())])
    listed = ", ".join(f"{key} ({count})" for key, count in sorted(unused.items()))
    report = f"{origin}: {len(own)} tensors of the image tower; not used: {listed or 'none'}"
    return {key: visual[key].to(own[key].dtype) for key in own}, report


def verified_path(encoder: Encoder) -> Path:
    """The file, which must still be the one that the trial was planned with."""
    path = fetch_weights(encoder).path
    if encoder.weights not in (AUTO, sha256_cached(path)):
        raise ValueError(
            f"{path.name} is not the file that this trial was planned with (sha256"
            f" {encoder.weights[:12]}): put that one back, or plan again"
        )
    return path


def _load_file(path: Path) -> Any:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    if _is_torchscript(path):
        with warnings.catch_warnings():
            # deprecated for programs; the archives of 2021 have no other reader
            warnings.simplefilter("ignore", FutureWarning)
            return torch.jit.load(path, map_location="cpu").state_dict()  # type: ignore[no-untyped-call]
    return torch.load(path, map_location="cpu", weights_only=True)


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _split_visual(state: StateDict) -> tuple[StateDict, list[str]]:
    """Tensors of the image tower in open_clip's names, and the names of all others."""
    plain = {key.removeprefix("module."): tensor for key, tensor in state.items()}
    visual = {
        key.removeprefix("visual."): tensor
        for key, tensor in plain.items()
        if key.startswith("visual.")
    }
    rest = [key for key in plain if visual and not key.startswith("visual.")]
    return to_open_clip_keys(visual or plain), rest


def _mismatch_message(origin: str, name: str, key: str, own: StateDict, visual: StateDict) -> str:
    """One sentence on the first tensor that does not fit, and whose weights they may be."""
    found = f"has shape {tuple(visual[key].shape)}" if key in visual else "is not in it"
    fitting = [
        other
        for other in architecture_names()
        if other != name and _matches_architecture(other, visual)
    ]
    advice = f"try encoder.name={' or '.join(fitting)}" if fitting else "try another file"
    return (
        f"{origin} does not hold the image tower of encoder.name={name}: {key} {found}"
        f" instead of {tuple(own[key].shape)}; {advice}"
    )


def _matches_architecture(name: str, visual: StateDict) -> bool:
    """Whether the tensors have an architecture's width, patch size, resolution and depth."""
    shape = shape_of(name)
    tokens = 1 + (shape.resolution // shape.patch) ** 2
    last = f"transformer.resblocks.{shape.blocks - 1}.ln_1.weight"
    beyond = f"transformer.resblocks.{shape.blocks}.ln_1.weight"
    wanted = {
        "conv1.weight": (shape.width, 3, shape.patch, shape.patch),
        "positional_embedding": (tokens, shape.width),
    }
    fits = all(key in visual and tuple(visual[key].shape) == wanted[key] for key in wanted)
    return fits and last in visual and beyond not in visual
