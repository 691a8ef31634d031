"""Depth of each parameter, and the lr scale, drop-path rate and freezing that depend on it.

Embeddings have depth 0, block k has depth k + 1, norm and head after the blocks have the last
depth, blocks + 1. Imports no torch.
Source: BEiT, as FT-CLIP uses it (`optim_factory.py`).
"""

from collections.abc import Callable

import numpy as np

EMBEDDING_PREFIXES = ("class_embedding", "positional_embedding", "conv1.", "ln_pre.")


def depth_of(name: str, blocks: int) -> int:
    """Return the depth of a parameter by its open_clip name, from 0 to blocks + 1."""
    if name.startswith(EMBEDDING_PREFIXES):
        return 0
    if name.startswith("transformer.resblocks."):
        return int(name.split(".")[2]) + 1
    return blocks + 1


def lr_scale(depth: int, blocks: int, layer_decay: float) -> float:
    """Return the factor on the schedule: 1 at depth blocks + 1, times layer_decay a layer below."""
    return float(layer_decay ** (blocks + 1 - depth))


def drop_path_rates(rate: float, blocks: int) -> list[float]:
    """Return the rate of each block, linear from 0 for the first to `rate` for the last."""
    return [float(value) for value in np.linspace(0.0, rate, blocks)]


def frozen_predicate(freeze: str, blocks: int) -> Callable[[str], bool]:
    """Return a function that decides by its name whether a parameter is frozen.

    freeze: "none", "patch" (the patch projection), "backbone" (all but the head), or "first_k"
        (embeddings and the first k blocks).

    Raises: ValueError if k is larger than the number of blocks.
    """
    if freeze == "none":
        return lambda name: False
    if freeze == "patch":
        return lambda name: name.startswith("conv1.")
    if freeze == "backbone":
        return lambda name: not name.startswith("head.")
    depth = int(freeze.removeprefix("first_"))
    if depth > blocks:
        raise ValueError(f"freeze={freeze} asks for more blocks than the tower's {blocks}")
    return lambda name: depth_of(name, blocks) <= depth
