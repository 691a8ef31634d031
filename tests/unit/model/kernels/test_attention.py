"""Self-attention: the function and gradients of nn.MultiheadAttention for both kernels."""

from copy import deepcopy
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from clip_hparam.model.kernels import attention
from clip_hparam.model.kernels.attention import (
    EXPLICIT,
    MAX_EXPLICIT_TOKENS,
    SDPA,
    SelfAttention,
    best_attention,
)

WIDTH, HEADS = 24, 3


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def outcome(module: nn.Module, x: Tensor) -> list[Tensor]:
    """Return the output, and the gradients of the input and of all parameters."""
    x = x.clone().requires_grad_()
    reference = isinstance(module, nn.MultiheadAttention)
    y = module(x, x, x, need_weights=False)[0] if reference else module(x)
    y.backward(torch.randn(y.shape, dtype=y.dtype, generator=torch.Generator().manual_seed(1)))
    gradients = (x.grad, *(parameter.grad for parameter in module.parameters()))
    return [y.detach(), *(gradient for gradient in gradients if gradient is not None)]


@pytest.mark.parametrize("kernel", [SDPA, EXPLICIT])
@pytest.mark.parametrize("tokens", [1, 5, 50])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-13), (torch.float32, 2e-6)])
def test_output_and_gradients_are_those_of_multihead_attention(
    kernel: str, tokens: int, dtype: torch.dtype, tolerance: float
) -> None:
    torch.manual_seed(0)
    reference = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, dtype=dtype)
    nn.init.normal_(reference.in_proj_bias)
    ours = SelfAttention(deepcopy(reference), kernel)
    assert [name for name, _ in ours.named_parameters()] == [
        name for name, _ in reference.named_parameters()
    ]
    x = torch.randn(4, tokens, WIDTH, dtype=dtype)
    expected = outcome(reference, x)
    for got, wanted in zip(outcome(ours, x), expected, strict=True):
        scale = max(1.0, float(wanted.abs().max()))
        torch.testing.assert_close(got, wanted, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize(
    ("device", "precision", "tokens", "kernel"),
    [
        ("cpu", "fp32", 17, SDPA),
        ("cpu", "bf16", 17, EXPLICIT),
        ("cpu", "fp16", MAX_EXPLICIT_TOKENS, EXPLICIT),
        ("cpu", "bf16", MAX_EXPLICIT_TOKENS + 1, SDPA),
        ("cuda", "bf16", 17, SDPA),
        ("cuda", "tf32", 17, SDPA),
    ],
)
def test_explicit_attention_is_for_short_sequences_in_low_precision_on_a_cpu(
    device: str, precision: str, tokens: int, kernel: str
) -> None:
    assert best_attention(device, precision, tokens) == kernel


@pytest.mark.parametrize("tokens", [1, 17])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_unpacking_has_the_bits_of_autograd(
    tokens: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    module = SelfAttention(nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, dtype=dtype), SDPA)
    x = torch.randn(4, tokens, WIDTH, dtype=dtype)
    ours = outcome(deepcopy(module), x)
    by_autograd = SimpleNamespace(apply=lambda packed: packed.unbind(0))
    monkeypatch.setattr(attention, "UnpackFunction", by_autograd)
    assert all(map(torch.equal, ours, outcome(module, x)))
