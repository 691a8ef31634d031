"""Parameter groups of the optimizer for layer-wise learning-rate decay."""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn

from clip_hparam.model.depth import depth_of, lr_scale

NO_WEIGHT_DECAY_PREFIXES = ("class_embedding", "positional_embedding")


@dataclass(frozen=True)
class ParamGroup:
    """Parameters of one depth and weight decay, whose lr is lr_scale times the schedule."""

    depth: int
    lr_scale: float
    weight_decay: float
    parameters: dict[str, nn.Parameter]


def param_groups(
    named: Iterable[tuple[str, nn.Parameter]], blocks: int, layer_decay: float, weight_decay: float
) -> list[ParamGroup]:
    """Return groups that hold each trainable parameter exactly once, ordered by depth.

    At equal depth the group with weight decay comes first. Biases, norms and embeddings have no
    weight decay. Frozen parameters are in no group and have no optimizer state.

    Raises: ValueError if layer_decay is outside (0, 1].
    """
    if not 0 < layer_decay <= 1:
        raise ValueError(f"layer_decay={layer_decay} is outside (0, 1]: 1 means no decay, try 0.65")
    members: dict[tuple[int, bool], dict[str, nn.Parameter]] = {}
    for name, parameter in named:
        if parameter.requires_grad:
            decayed = parameter.ndim > 1 and not name.startswith(NO_WEIGHT_DECAY_PREFIXES)
            members.setdefault((depth_of(name, blocks), decayed), {})[name] = parameter
    return [
        ParamGroup(
            depth,
            lr_scale(depth, blocks, layer_decay),
            weight_decay if decayed else 0.0,
            members[depth, decayed],
        )
        for depth, decayed in sorted(members, key=lambda key: (key[0], not key[1]))
    ]
