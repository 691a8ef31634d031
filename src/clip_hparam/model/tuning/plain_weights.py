"""Merge low-rank updates and the logit scale into plain weights."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrize


def plain_weights(model: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state dict of `model` by the names that a model without parametrizations has.

    tensors: values by the names of `model.state_dict()`, on one device. Merged weights have the
    bits that the forward pass of `model` uses on this device in fp32.
    """
    plain = dict(tensors)
    for path, module in model.named_modules():
        if parametrize.is_parametrized(module):
            for attribute, chain in module.parametrizations.items():
                prefix = f"{path}.parametrizations.{attribute}."
                plain[f"{path}.{attribute}"] = _merged(chain[0], _popped(plain, prefix))
    return plain


def _popped(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    names = [name for name in tensors if name.startswith(prefix)]
    return {name.removeprefix(prefix): tensors.pop(name) for name in names}


@torch.no_grad()
def _merged(update: nn.Module, own: dict[str, Tensor]) -> Tensor:
    original = own.pop("original")
    values = {name.removeprefix("0."): value for name, value in own.items()}
    merged: Tensor = functional_call(update, values, (original,))
    return merged
