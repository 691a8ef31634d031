"""QuickGELU, the activation of OpenAI's towers, as one autograd function."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

SLOPE = 1.702


class QuickGELUFunction(torch.autograd.Function):
    """x * sigmoid(1.702 x); saves x alone, where the plain expression saves three tensors."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return (x * SLOPE).sigmoid_().mul_(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # with z = 1.702 x, the derivative of x sigmoid(z) by x is that of z sigmoid(z) by z
        (x,) = ctx.saved_tensors
        result: Tensor = torch.ops.aten.silu_backward(gradient, x * SLOPE)
        return result


class QuickGELU(nn.Module):
    """Activation module without parameters."""

    def forward(self, x: Tensor) -> Tensor:
        """Return x * sigmoid(1.702 x)."""
        if torch.compiler.is_compiling():  # which chooses itself what to save and to compute again
            return x * torch.sigmoid(x * SLOPE)
        result: Tensor = QuickGELUFunction.apply(x)
        return result
