"""Match the tensors of a file to an image tower: their shapes, types and values, the resolution.

The positional embedding of another resolution is resized as open_clip does.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from clip_hparam.model.architectures import TowerShape, architecture_names, shape_of
from clip_hparam.model.weights_reader import StateDict
from clip_hparam.model.weights_selection import TowerTensors

POSITIONS = "positional_embedding"
PROJECTION = ("ln_post.weight", "ln_post.bias", "proj")
"""Tensors that only pool=clip reads; a fine-tuned classifier has others in their place."""
OTHER_PARTS = ("ln_pre", "patch_embed", "reg_token", "register_tokens", "rel_pos_bias")
"""Tensors that a forward pass of other ViTs uses; ln_pre is not in every tower."""
FLOAT_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class MatchedWeights(NamedTuple):
    """Tensors for a tower, and a sentence on what of the file is used."""

    state: StateDict
    report: str


def match_weights(
    expected: Mapping[str, Tensor], tensors: TowerTensors, origin: str, name: str, grid: int
) -> MatchedWeights:
    """Return the tensors of the tower in the tower's types; those of PROJECTION may be missing.

    expected: the state dict of a tower of the architecture `name`. origin: name of the weights in
    messages. grid: patches along a side to which the positional embedding of another resolution is
    resized. An embedding for the architecture's own resolution is kept as it is.

    Raises: ValueError if a tensor is missing, has another shape, is no number of 16 bits or more,
    or holds NaN or infinity, and if the blocks in the file have tensors that the tower does not.
    """
    visual = tensors.visual
    _validate_shapes(expected, visual, origin, name)
    _validate_no_more(expected, visual, origin, name)
    state = {key: visual[key] for key in expected if key in visual}
    for key, tensor in state.items():
        validate_values(key, tensor, origin)
    state = {key: tensor.to(expected[key].dtype) for key, tensor in state.items()}
    notes = list(_notes(expected, tensors, origin))
    if len(state[POSITIONS]) != len(expected[POSITIONS]):
        old = _grid_of(state[POSITIONS])
        state[POSITIONS] = resized_positions(state[POSITIONS], grid)
        change = "kept" if old == grid else f"resized to {grid}x{grid}"
        notes.append(f"positional embedding of {old}x{old} patches {change}")
    others = [*tensors.beside, *(visual.keys() - state.keys()), *tensors.elsewhere]
    unused = Counter(key.split(".")[0] for key in others)
    listed = ", ".join(f"{key} ({count})" for key, count in sorted(unused.items()))
    report = f"{origin}: {len(state)} tensors of the image tower; not used: {listed or 'none'}"
    return MatchedWeights(state, "; ".join([report, *notes]))


def resized_positions(positions: Tensor, grid: int) -> Tensor:
    """Return a positional embedding for grid x grid patches; the row of the class token is kept.

    positions: float, shape (1 + old * old, width). The kernel is bicubic with antialias.
    Source: open_clip `resize_pos_embed`, which sets up the root logger when it is called.
    """
    old = _grid_of(positions)
    if old == grid:
        return positions
    square = positions[1:].reshape(1, old, old, -1).permute(0, 3, 1, 2)
    resized = F.interpolate(
        square, (grid, grid), mode="bicubic", antialias=True, align_corners=False
    )
    return torch.cat([positions[:1], resized.permute(0, 2, 3, 1).reshape(grid * grid, -1)])


def _notes(expected: Mapping[str, Tensor], tensors: TowerTensors, origin: str) -> Iterator[str]:
    if tensors.others:
        used = f"the weights under {tensors.key}" if tensors.key else "the weights without a prefix"
        others = " or ".join(f":{key}" for key in tensors.others if key)
        yield f"used are {used}; encoder.pretrained=FILE{others} takes the others"
    if any(key in expected and key not in tensors.visual for key in PROJECTION):
        yield "it holds no projection, which pool=clip would need"


def _validate_shapes(
    expected: Mapping[str, Tensor], visual: StateDict, origin: str, name: str
) -> None:
    beginning = f"{origin} does not hold the image tower of encoder.name={name}: "
    shape = _shape_of_tensors(visual)
    own = shape_of(name)
    if shape and shape != (own.patch, own.width, own.blocks):
        others = _sizes(own.patch, own.width, own.blocks)
        raise ValueError(
            f"{beginning}it has {_sizes(*shape)}, and {name} has {others}; {_advice(name, visual)}"
        )
    for key, tensor in expected.items():
        if key not in visual:
            if _may_be_missing(key, visual):
                continue
            raise ValueError(f"{beginning}{key} is not in it; {_advice(name, visual)}")
        if visual[key].shape != tensor.shape and not _is_resizable(key, visual[key], tensor):
            raise ValueError(
                f"{beginning}{key} has shape {tuple(visual[key].shape)} instead of"
                f" {tuple(tensor.shape)}; {_advice(name, visual)}"
            )


def _validate_no_more(
    expected: Mapping[str, Tensor], visual: StateDict, origin: str, name: str
) -> None:
    """Raise ValueError for a tensor, such as of LayerScale or LoRA, without which features change.

    What lies behind the tower, such as a head, is not used and may differ.
    """
    parts = {key.split(".")[0] for key in expected.keys() - PROJECTION} | set(OTHER_PARTS)
    for key, tensor in visual.items():
        if key not in expected and key.split(".")[0] in parts and tensor.is_floating_point():
            is_update = "lora" in key.lower()
            advice = "merge such updates into the weights" if is_update else "try another file"
            raise ValueError(
                f"{origin} does not hold the image tower of encoder.name={name}: {key} is in it,"
                f" which {name} does not have; {advice}"
            )


def validate_values(key: str, tensor: Tensor, origin: str) -> None:
    """Raise ValueError for a tensor that is no number of 16 bits or more, or is not finite."""
    if tensor.dtype not in FLOAT_TYPES or tensor.is_meta or tensor.layout is not torch.strided:
        layout = str(tensor.layout if tensor.layout is not torch.strided else tensor.dtype)
        kind = "a tensor of the device meta" if tensor.is_meta else layout.removeprefix("torch.")
        raise ValueError(
            f"{origin} holds {key} as {kind}, without the values of its weights: save it as"
            " float16, bfloat16 or float32"
        )
    if not tensor.float().isfinite().all():  # a float64 may be beyond the range of float32
        raise ValueError(f"{origin} holds NaN or infinity in {key}: fetch it again")


def _may_be_missing(key: str, visual: StateDict) -> bool:
    """Return whether a tower without this tensor is whole but for the projection of pool=clip."""
    norm = PROJECTION[:2]
    return key == "proj" or (key in norm and not any(other in visual for other in norm))


def _is_resizable(key: str, tensor: Tensor, expected: Tensor) -> bool:
    """Return whether a tensor is a positional embedding for another square image."""
    if key != POSITIONS or tensor.ndim != 2 or tensor.shape[1:] != expected.shape[1:]:
        return False
    return _grid_of(tensor) > 0 and 1 + _grid_of(tensor) ** 2 == len(tensor)


def _grid_of(positions: Tensor) -> int:
    return math.isqrt(max(len(positions) - 1, 0))


def _shape_of_tensors(visual: StateDict) -> tuple[int, int, int] | None:
    """Return patch size, width and number of blocks; None for tensors that are no ViT's."""
    blocks = {key.split(".")[2] for key in visual if key.startswith("transformer.resblocks.")}
    conv = visual.get("conv1.weight")
    if conv is None or conv.ndim != 4 or conv.shape[2] != conv.shape[3] or not blocks:
        return None
    return conv.shape[2], conv.shape[0], len(blocks)


def _sizes(patch: int, width: int, blocks: int) -> str:
    return f"patch size {patch}, width {width} and {blocks} blocks"


def _advice(name: str, visual: StateDict) -> str:
    """Return the architectures with the sizes of the tensors, first those of their resolution."""
    fitting = [other for other in architecture_names() if other != name]
    shapes: dict[str, TowerShape] = {other: shape_of(other) for other in fitting}
    sizes = _shape_of_tensors(visual)
    fitting = [o for o, s in shapes.items() if (s.patch, s.width, s.blocks) == sizes]
    tokens = len(visual[POSITIONS]) if POSITIONS in visual else 0
    exact = [o for o in fitting if 1 + (shapes[o].resolution // shapes[o].patch) ** 2 == tokens]
    best = exact or fitting
    return f"try encoder.name={' or '.join(best)}" if best else "try another file"
