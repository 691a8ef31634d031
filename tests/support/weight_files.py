"""Weight files of the bundled CLIP, as training scripts write them."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from clip_hparam.model.tiny_clip import model as tiny_clip

State = dict[str, Tensor]


def whole_clip() -> State:
    """Return the tensors of both towers by open_clip's names."""
    return {name: tensor.clone() for name, tensor in tiny_clip.load_weights().items()}


def image_tower() -> State:
    """Return the tensors of the image tower without their prefix."""
    prefix = "visual."
    return {k.removeprefix(prefix): v for k, v in whole_clip().items() if k.startswith(prefix)}


def prefixed(state: State, prefix: str) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def averaged(state: State) -> State:
    """Return other weights of the same shapes, in place of an average."""
    return {name: tensor * 0.9 for name, tensor in state.items()}


def write(path: Path, tree: Any) -> str:
    """Write a pickle and return the override that names it."""
    torch.save(tree, path)
    return f"encoder.pretrained={path}"
