"""What follows from depth alone: lr scales, drop-path rates, and what is frozen. No torch.

Depth is BEiT's as FT-CLIP uses it (`optim_factory.py`): embeddings are depth 0, block k is depth
k + 1, and what follows the blocks (norm and head) is the last depth, blocks + 1.
"""

from collections.abc import Callable

import numpy as np

EMBEDDING_PREFIXES = ("class_embedding", "positional_embedding", "conv1.", "ln_pre.")


def depth_of(name: str, blocks: int) -> int:
    """Depth of a parameter by its open_clip name, from 0 to blocks + 1."""
    if name.startswith(EMBEDDING_PREFIXES):
        return 0
    if name.startswith("transformer.resblocks."):
        return int(name.split(".")[2]) + 1
    return blocks + 1


def lr_scale(depth: int, blocks: int, layer_decay: float) -> float:
    """The factor on the schedule at a depth: 1 after the blocks, layer_decay less a layer below."""
    return float(layer_decay ** (blocks + 1 - depth))


def drop_path_rates(rate: float, blocks: int) -> list[float]:
    """Rate of each block, from 0 for the first to `rate` for the last."""
    return [float(value) for value in np.linspace(0.0, rate, blocks)]


def frozen_predicate(what: str, blocks: int) -> Callable[[str], bool]:
    """Whether a parameter is frozen, by its name: "none", "patch", "backbone" or "first_k".

    patch is the patch projection, backbone all but the head, first_k the embeddings and the first
    k blocks. Raises ValueError for more blocks than the tower has.
    """
    if what == "none":
        return lambda name: False
    if what == "patch":
        return lambda name: name.startswith("conv1.")
    if what == "backbone":
        return lambda name: not name.startswith("head.")
    depth = int(what.removeprefix("first_"))
    if depth > blocks:
        raise ValueError(f"freeze={what} asks for more blocks than the tower's {blocks}")
    return lambda name: depth_of(name, blocks) <= depth
