"""Rename the tensors of timm's plain ViT to open_clip's names; the values are the same.

Source: timm `models/vision_transformer.py` (`vit_*_clip_*`: class token, norm_pre, no bias on the
patch projection) and open_clip `transformer.py`.
"""

import re
from collections.abc import Iterable

from torch import Tensor

KEY_PATTERNS = (
    (r"^cls_token$", "class_embedding"),
    (r"^pos_embed$", "positional_embedding"),
    (r"^patch_embed\.proj\.", "conv1."),
    (r"^norm_pre\.", "ln_pre."),
    (r"^norm\.", "ln_post."),
    (r"^head\.weight$", "proj"),
    (r"^blocks\.", "transformer.resblocks."),
    (r"\.norm1\.", ".ln_1."),
    (r"\.norm2\.", ".ln_2."),
    (r"\.attn\.qkv\.", ".attn.in_proj_"),
    (r"\.attn\.proj\.", ".attn.out_proj."),
    (r"\.mlp\.fc1\.", ".mlp.c_fc."),
    (r"\.mlp\.fc2\.", ".mlp.c_proj."),
)


def to_open_clip_keys(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under open_clip's names; a state dict that is not timm's is unchanged.

    A head with a bias is that of a classifier, and keeps its name.
    """
    if not any(name.removeprefix("trunk.") == "cls_token" for name in state):
        return state
    own = {name.removeprefix("trunk."): tensor for name, tensor in state.items()}
    is_classifier = "head.bias" in own  # the projection of CLIP has no bias
    renamed = {
        name if is_classifier and name == "head.weight" else rename_key(name, KEY_PATTERNS): tensor
        for name, tensor in own.items()
    }
    for name in ("class_embedding", "positional_embedding"):
        renamed[name] = renamed[name].flatten(0, -2).squeeze(0)
    if "proj" in renamed:
        renamed["proj"] = renamed["proj"].T
    return renamed


def rename_key(name: str, patterns: Iterable[tuple[str, str]]) -> str:
    """Return the name of a tensor after all replacements, (regular expression, text), in order."""
    for pattern, replacement in patterns:
        name = re.sub(pattern, replacement, name)
    return name
