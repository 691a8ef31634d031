"""Self-attention with one projection for queries, keys and values."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

SDPA, EXPLICIT = "sdpa", "explicit"
MAX_EXPLICIT_TOKENS = 256  # beyond, the matrix of tokens x tokens needs more memory than it saves
LOW_PRECISIONS = ("bf16", "fp16")


def best_attention(device: str, precision: str, tokens: int) -> str:
    """Return the faster of SDPA and EXPLICIT for a type of device, "cpu" or "cuda".

    Measured on a Xeon with AMX, forward and backward in bf16: torch's fused attention takes 5 times
    as long as the explicit one for 17 tokens, 1.4 times for 197. In fp32 they take the same time.
    """
    explicit = device == "cpu" and precision in LOW_PRECISIONS and tokens <= MAX_EXPLICIT_TOKENS
    return EXPLICIT if explicit else SDPA


class SelfAttention(nn.Module):
    """The function and the parameters of an nn.MultiheadAttention without dropout.

    nn.MultiheadAttention copies the projection to separate queries, keys and values; its backward
    pass then fills and adds three tensors of three times the width. Views need neither.
    kernel: SDPA or EXPLICIT.
    """

    def __init__(self, attention: nn.MultiheadAttention, kernel: str) -> None:
        super().__init__()
        self.in_proj_weight = attention.in_proj_weight
        self.in_proj_bias = attention.in_proj_bias
        self.out_proj = attention.out_proj
        self.heads, self.kernel = attention.num_heads, kernel

    def forward(self, x: Tensor) -> Tensor:
        """Return the attention of tokens to each other; x has shape (b, tokens, width)."""
        batch, tokens, width = x.shape
        projected = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        packed = projected.view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attend = explicit_attention if self.kernel == EXPLICIT else sdpa_attention
        joined = attend(packed).transpose(1, 2).reshape(batch, tokens, width)
        result: Tensor = self.out_proj(joined)
        return result


class UnpackFunction(torch.autograd.Function):
    """Return the three parts of packed queries, keys and values, as `packed.unbind(0)`.

    The gradient has the memory layout of the projection. Autograd's own is stacked in another one
    and then copied. The bits are the same.
    """

    @staticmethod
    def forward(ctx: Any, packed: Tensor) -> tuple[Tensor, ...]:
        return packed.unbind(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        joined = torch.stack([gradient.transpose(1, 2) for gradient in gradients], dim=2)
        return joined.permute(2, 0, 3, 1, 4)


def sdpa_attention(packed: Tensor) -> Tensor:
    """Return torch's fused attention of queries, keys and values.

    packed: shape (3, b, heads, tokens, width of a head); the result is one of the three.
    """
    if torch.is_grad_enabled() and not torch.compiler.is_compiling():  # which chooses the layout
        queries, keys, values = UnpackFunction.apply(packed)
    else:
        queries, keys, values = packed.unbind(0)
    return F.scaled_dot_product_attention(queries, keys, values)


def explicit_attention(packed: Tensor) -> Tensor:
    """Return the same as `sdpa_attention`, by two matrix products and a softmax."""
    _, batch, heads, tokens, size = packed.shape
    queries, keys, values = packed.reshape(3, batch * heads, tokens, size).unbind(0)
    shares = torch.bmm(queries * size**-0.5, keys.transpose(1, 2)).softmax(-1)
    return torch.bmm(shares, values).view(batch, heads, tokens, size)
