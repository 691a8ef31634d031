"""A classifier as an image tower of open_clip: the features are the input of the head.

`ln_post` of the tower is the classifier's last norm, and its pooling is the classifier's. Without
pool=clip the projection is the identity, so that `embed_dim` is the width.
"""

import re
from typing import Any

import torch
from torch import Tensor

from clip_hparam.model.architectures import model_config
from clip_hparam.model.classifier import Classifier

POOLING_KEYS = (
    *("pool_type", "final_ln_after_pool", "attentional_pool", "output_tokens"),
    *("attn_pooler_queries", "attn_pooler_heads", "patch_dropout"),
)
UNUSED_TEXT = {"context_length": 8, "vocab_size": 8, "width": 64, "heads": 1, "layers": 1}
"""Config of a text tower, without which open_clip creates no model."""


def tower_config(encoder: str, pool: str, resolution: int) -> dict[str, Any]:
    """Return open_clip's config of the tower; `open_clip.add_model_config` reads it from a file."""
    config = model_config(encoder)
    vision = {
        name: value for name, value in config["vision_cfg"].items() if name not in POOLING_KEYS
    }
    vision["image_size"] = resolution
    vision["pool_type"] = "avg" if pool == "patch_mean" else "tok"
    return {
        "embed_dim": config["embed_dim"] if pool == "clip" else vision["width"],
        "quick_gelu": config.get("quick_gelu", False),
        "vision_cfg": vision,
        "text_cfg": UNUSED_TEXT,
    }


def tower_state(model: Classifier) -> dict[str, Tensor]:
    """Return the tensors of the tower by open_clip's names."""
    state = {_without_drop_path(name): tensor for name, tensor in model.state_dict().items()}
    if model.pool != "clip":
        for part in ("weight", "bias"):
            state[f"ln_post.{part}"] = state.pop(f"fc_norm.{part}")
        state["proj"] = torch.eye(len(state["ln_post.weight"]))
    return {name: tensor for name, tensor in state.items() if not name.startswith("head.")}


def classifier_state(
    tower: dict[str, Tensor], head: dict[str, Tensor], pool: str
) -> dict[str, Tensor]:
    """Return the weights of the classifier that `tower_state` was made of; head: by its names."""
    state = {**tower, **{f"head.{name}": tensor for name, tensor in head.items()}}
    if pool != "clip":
        for part in ("weight", "bias"):
            state[f"fc_norm.{part}"] = state.pop(f"ln_post.{part}")
        del state["proj"]
    return state


def _without_drop_path(name: str) -> str:
    return re.sub(r"\.(ls_[12])\.0\.", r".\1.", name)
