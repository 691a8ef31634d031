"""Which image towers there are, their shape and their weights' identity, without importing torch.

open_clip keeps one JSON file an architecture; reading it costs a millisecond, importing open_clip
four seconds.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from clip_hparam.config.knob import suggest
from clip_hparam.model.tiny_clip import model as tiny_clip

TINY = "tiny"
RANDOM = "random"
# timm's names of networks that are open_clip's VisionTransformer, weight for weight
TIMM_VITS = {"vit_large_patch14_clip_224": {"layers": 24, "width": 1024, "patch_size": 14}}
ENCODER_HINT = "try ViT-B-16-quickgelu"


@dataclass(frozen=True)
class TowerShape:
    """Native resolution and patch size in px, width, number of blocks, and how CLIP pools.

    `projects_cls` tells whether CLIP reads the class token through ln_post and proj, which is what
    pool=clip continues; some towers average or attend over the patches instead.
    """

    resolution: int
    patch: int
    width: int
    blocks: int
    projects_cls: bool


def model_config(name: str) -> dict[str, Any]:
    """open_clip's config of an architecture (embed_dim, vision_cfg, text_cfg).

    One of TIMM_VITS comes as the VisionTransformer that it is. Raises ValueError for an unknown
    name, with near ones.
    """
    config = _published_config(name)
    vision = config["vision_cfg"]
    plain = TIMM_VITS.get(vision.get("timm_model_name"))
    return (
        {**config, "vision_cfg": {"image_size": vision["image_size"], **plain}} if plain else config
    )


def shape_of(name: str) -> TowerShape:
    """Raises ValueError for a tower that is not a ViT with a class token, with the reason."""
    vision = model_config(name)["vision_cfg"]
    reason = _rejection_reason(vision)
    if reason:
        raise ValueError(f"encoder.name={name} {reason}: {ENCODER_HINT}")
    return TowerShape(
        resolution=vision["image_size"],
        patch=vision["patch_size"],
        width=vision["width"],
        blocks=vision["layers"],
        projects_cls=_projects_cls(_published_config(name)["vision_cfg"]),
    )


def patch_grid(resolution: int, patch: int) -> int:
    """Patches along a side. Raises ValueError if the patch size does not divide the resolution."""
    if resolution % patch:
        nearest = max(patch, round(resolution / patch) * patch)
        raise ValueError(
            f"resolution={resolution} is not a multiple of the patch size {patch}: try {nearest}"
        )
    return resolution // patch


def architecture_names() -> Iterator[str]:
    """Names that can be an encoder.name, sorted, the tiny one first."""
    yield TINY
    for name in _config_files():
        if not _rejection_reason(model_config(name)["vision_cfg"]):
            yield name


def _published_config(name: str) -> dict[str, Any]:
    if name == TINY:
        return tiny_clip.model_config()
    files = _config_files()
    if name not in files:
        raise ValueError(f"unknown encoder.name={name}: {suggest(name, architecture_names())}")
    config: dict[str, Any] = json.loads(files[name].read_text())
    return config


def _projects_cls(vision: dict[str, Any]) -> bool:
    """timm's projection has a bias, which open_clip's does not."""
    pools_cls = vision.get("pool_type", "tok") == "tok" and not vision.get("attentional_pool")
    return pools_cls and "timm_model_name" not in vision


def _rejection_reason(vision: dict[str, Any]) -> str:
    """Why a config is not a ViT with a class token; empty if it is."""
    if "timm_model_name" in vision:
        return f"is timm's {vision['timm_model_name']}, which is not a plain ViT with a class token"
    if not isinstance(vision.get("layers"), int):
        return "is a ResNet, not a ViT"
    return ""


@cache
def _config_files() -> dict[str, Path]:
    spec = find_spec("open_clip")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("open_clip is not installed: pip install open_clip_torch")
    folder = Path(spec.submodule_search_locations[0]) / "model_configs"
    return {path.stem: path for path in sorted(folder.glob("*.json"))}
