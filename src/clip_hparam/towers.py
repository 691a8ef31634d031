"""Which image towers there are, their shape and their weights' identity, without importing torch.

open_clip keeps one JSON file an architecture; reading it costs a millisecond, importing open_clip
four seconds.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from clip_hparam import tiny
from clip_hparam.knob import near
from clip_hparam.recipe import Encoder

TINY = "tiny"
RANDOM = "random"


@dataclass(frozen=True)
class Shape:
    """Native resolution and patch size in px, width, number of blocks."""

    resolution: int
    patch: int
    width: int
    blocks: int


def model_config(name: str) -> dict[str, Any]:
    """open_clip's config of an architecture (embed_dim, vision_cfg, text_cfg).

    Raises ValueError for an unknown name, with near ones.
    """
    if name == TINY:
        return tiny.model_config()
    files = _config_files()
    if name not in files:
        raise ValueError(f"unknown encoder.name={name}: {near(name, [TINY, *files])}")
    config: dict[str, Any] = json.loads(files[name].read_text())
    return config


def shape_of(name: str) -> Shape:
    """Raises ValueError for a tower that is not a plain ViT."""
    vision = model_config(name)["vision_cfg"]
    if not isinstance(vision.get("layers"), int) or "patch_size" not in vision:
        raise ValueError(f"encoder.name={name} is not a ViT image tower: try ViT-B-16-quickgelu")
    return Shape(vision["image_size"], vision["patch_size"], vision["width"], vision["layers"])


def weights_sha256(encoder: Encoder) -> str:
    """Identity of the weights, or "random". Raises FileNotFoundError if there are none."""
    if encoder.pretrained == RANDOM:
        return RANDOM
    if encoder.pretrained == TINY:
        if encoder.name != TINY:
            raise ValueError(
                f"encoder.pretrained=tiny does not fit encoder.name={encoder.name}:"
                " try encoder.pretrained=random, or a local file"
            )
        return tiny.sha256()
    raise FileNotFoundError(
        f"encoder.pretrained={encoder.pretrained} is not known: choose from tiny, random"
    )


@cache
def _config_files() -> dict[str, Path]:
    spec = find_spec("open_clip")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("open_clip is not installed: pip install open_clip_torch")
    folder = Path(spec.submodule_search_locations[0]) / "model_configs"
    return {path.stem: path for path in sorted(folder.glob("*.json"))}
