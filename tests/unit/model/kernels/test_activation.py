"""QuickGELU: the values and gradients of open_clip's, with one saved tensor."""

import pytest
import torch
from open_clip.transformer import QuickGELU as OpenClipQuickGELU
from torch import Tensor

from clip_hparam.model.kernels.activation import QuickGELU, QuickGELUFunction


def value_and_gradient(module: torch.nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.clone().requires_grad_()
    y = module(x)
    y.backward(torch.linspace(-1, 1, y.numel(), dtype=y.dtype))
    assert x.grad is not None
    return y.detach(), x.grad


def test_gradient_is_the_derivative() -> None:
    x = torch.linspace(-9, 9, 41, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(QuickGELUFunction.apply, (x,))


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float64, 1e-14), (torch.float32, 1e-6), (torch.bfloat16, 0.02), (torch.float16, 0.003)],
)
def test_values_have_the_bits_of_open_clip_and_gradients_are_close(
    dtype: torch.dtype, tolerance: float
) -> None:
    x = torch.linspace(-12, 12, 1001).to(dtype)
    ours, expected = (
        value_and_gradient(module, x) for module in (QuickGELU(), OpenClipQuickGELU())
    )
    assert torch.equal(ours[0], expected[0])
    torch.testing.assert_close(ours[1], expected[1], rtol=tolerance, atol=tolerance)


def test_one_tensor_is_saved_for_the_backward_pass() -> None:
    saved = []
    hooks = torch.autograd.graph.saved_tensors_hooks
    for module in (QuickGELU(), OpenClipQuickGELU()):
        storages = set()
        with hooks(lambda x, known=storages: known.add(x.data_ptr()) or x, lambda x: x):
            y = module(torch.randn(50, requires_grad=True) * 1)
        y.sum().backward()
        saved.append(len(storages))
    assert saved[0] == 1 < saved[1]
