"""A classifier as a VisionTransformer of timm.

timm normalises all tokens and then pools, as `Classifier` does. pool=clip scales its features to
length 1 before the head, which timm's networks do not.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from clip_hparam.model.architectures import model_config, shape_of
from clip_hparam.model.classifier import Classifier
from clip_hparam.model.normalization import NORMALIZATIONS
from clip_hparam.model.timm_keys import rename_key

ARCHITECTURE = "vit_base_patch16_clip_224"  # its sizes are replaced by `model_args`
KEY_PATTERNS = (
    (r"^class_embedding$", "cls_token"),
    (r"^positional_embedding$", "pos_embed"),
    (r"^conv1\.", "patch_embed.proj."),
    (r"^ln_pre\.", "norm_pre."),
    (r"^fc_norm\.", "norm."),
    (r"^transformer\.resblocks\.", "blocks."),
    (r"\.ln_([12])\.", r".norm\1."),
    (r"\.ls_([12])\.(0\.)?gamma$", r".ls\1.gamma"),
    (r"\.attn\.in_proj_", ".attn.qkv."),
    (r"\.attn\.out_proj\.", ".attn.proj."),
    (r"\.mlp\.c_fc\.", ".mlp.fc1."),
    (r"\.mlp\.c_proj\.", ".mlp.fc2."),
)


def timm_state(model: Classifier) -> dict[str, Tensor]:
    """Return the weights of a classifier by timm's names. Raises ValueError for pool=clip."""
    if model.pool == "clip":
        raise ValueError("pool=clip has features of length 1, which no network of timm has")
    state = {rename_key(name, KEY_PATTERNS): tensor for name, tensor in model.state_dict().items()}
    for name in ("cls_token", "pos_embed"):
        tokens = state[name]
        state[name] = tokens.reshape(1, -1, tokens.shape[-1])
    return state


def timm_config(
    knobs: Mapping[str, Any], classes: tuple[str, ...], state: Mapping[str, Tensor]
) -> dict[str, Any]:
    """Return config.json of a folder that `timm.create_model("local-dir:FOLDER")` reads."""
    arguments = _model_arguments(knobs)
    if any(name.endswith("ls1.gamma") for name in state):
        arguments["init_values"] = 1.0
    mean, std = NORMALIZATIONS[knobs["encoder.pixels"]]
    return {
        "architecture": ARCHITECTURE,
        "num_classes": len(classes),
        "num_features": arguments["embed_dim"],
        "global_pool": arguments["global_pool"],
        "model_args": arguments,
        "pretrained_cfg": {
            "input_size": [3, knobs["resolution"], knobs["resolution"]],
            "fixed_input_size": True,
            "interpolation": knobs["interpolation"],
            "crop_pct": 1.0,
            "crop_mode": "center",
            "mean": mean,
            "std": std,
            "num_classes": len(classes),
            "pool_size": None,
            "first_conv": "patch_embed.proj",
            "classifier": "head",
            "label_names": list(classes),
        },
    }


def _model_arguments(knobs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of timm's VisionTransformer for the tower and the pooling of a trial."""
    config, shape = model_config(knobs["encoder.name"]), shape_of(knobs["encoder.name"])
    vision = config["vision_cfg"]
    return {
        "img_size": knobs["resolution"],
        "patch_size": shape.patch,
        "embed_dim": shape.width,
        "depth": shape.blocks,
        "num_heads": shape.width // vision.get("head_width", 64),
        "mlp_ratio": vision.get("mlp_ratio", 4.0),
        "act_layer": "quick_gelu" if config.get("quick_gelu") else "gelu",
        "fc_norm": False,
        "global_pool": "avg" if knobs["pool"] == "patch_mean" else "token",
    }
