"""Parameters of a module as views of one tensor, so that one operation updates all of them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class FlatParameters:
    """Named parameters of a module, moved into one tensor of which each becomes a view.

    The module works as before, and its state dict has the same keys and shapes.
    names, parameters: in the order of the tensor.
    values: the tensor, shape (elements,).
    module_order: positions of the parameters in the order of `module.parameters()`.
    """

    def __init__(self, module: nn.Module, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.parameters = tuple(module.get_parameter(name) for name in names)
        self.values = torch.cat([parameter.detach().flatten() for parameter in self.parameters])
        for parameter, view in zip(self.parameters, self.split(self.values), strict=True):
            parameter.data = view.view_as(parameter)
        position = {name: at for at, name in enumerate(self.names)}
        listed = (name for name, _ in module.named_parameters())
        self.module_order = tuple(position[name] for name in listed if name in position)

    def split(self, flat: Tensor) -> tuple[Tensor, ...]:
        """Return the part of each parameter of a tensor that is laid out as `values`, flat too."""
        return torch.split(flat, [parameter.numel() for parameter in self.parameters])

    def pop_gradients(self) -> Tensor:
        """Return the gradients, laid out as `values`, and remove them from the parameters.

        Each parameter must have a gradient. They are copied once, after the backward pass, because
        autograd hands over a gradient without a copy only to a parameter that has none.
        """
        gradients = [parameter.grad for parameter in self.parameters]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients if gradient is not None])
        for parameter in self.parameters:
            parameter.grad = None
        return flat
