"""Check that all ranks of a trial begin from the same weights."""

import hashlib
from collections.abc import Iterable

import torch
from torch import nn

from clip_hparam.distributed import DistributedContext


def check_equal_weights(
    context: DistributedContext, models: Iterable[nn.Module], moment: str
) -> None:
    """Raise RuntimeError that names the ranks whose weights are not those of rank 0.

    moment: "at the start" or "after the resume".
    """
    if context.world_size == 1:
        return
    digests = context.all_gather([state_dict_sha256(models)])
    differing = [rank for rank, digest in enumerate(digests) if digest != digests[0]]
    if differing:
        ranks = " and ".join(f"rank {rank}" for rank in differing)
        raise RuntimeError(
            f"the weights of {ranks} of {context.world_size} are not those of rank 0 {moment}: all"
            " ranks must read the same weight file and the same folder of records"
        )


def state_dict_sha256(models: Iterable[nn.Module]) -> str:
    """Return the sha256 of all parameters and buffers, frozen ones included."""
    digest = hashlib.sha256()
    for model in models:
        for name, tensor in model.state_dict().items():
            digest.update(name.encode())
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy())
    return digest.hexdigest()
