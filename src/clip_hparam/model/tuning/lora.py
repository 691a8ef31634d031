"""Low-rank updates of the matrices of attention and MLP (tune=lora).

A forward pass uses W + alpha / rank * up @ down, computed in fp32. The update is a parametrization
of the matrix itself, so that open_clip's modules and the fused ones read it alike, and so that
merged weights have the bits of the trained model. Since `up` starts at 0, the first forward pass is
that of the pretrained model. Gradients of W are computed and not kept: a step computes as much as
with tune=full, while optimizer, EMA and checkpoint hold the updates alone.

Source: Hu et al., "LoRA: low-rank adaptation of large language models", 2022.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from clip_hparam.model.classifier import Classifier
from clip_hparam.model.trained import is_adapted
from clip_hparam.rng import stream


class LowRankUpdate(nn.Module):
    """Parametrization of a matrix, shape (out, inputs): itself plus a product of rank `rank`.

    lora_down: shape (rank, inputs), uniform in +-1 / sqrt(inputs) at first. lora_up: shape
    (out, rank), 0 at first.
    """

    def __init__(self, weight: Tensor, rank: int, alpha: float, generator: torch.Generator) -> None:
        super().__init__()
        out, inputs = weight.shape
        bound = inputs**-0.5
        down = torch.empty(rank, inputs).uniform_(-bound, bound, generator=generator)
        self.lora_down = nn.Parameter(down)
        self.lora_up = nn.Parameter(torch.zeros(out, rank))
        self.scale = alpha / rank

    def forward(self, weight: Tensor) -> Tensor:
        """Return the updated matrix, in fp32 also under autocast."""
        with torch.autocast(weight.device.type, enabled=False):
            return torch.addmm(weight, self.lora_up, self.lora_down, alpha=self.scale)


def add_lora(model: Classifier, freeze: str, rank: int, alpha: float, seed: int) -> None:
    """Add a trained update to each matrix that `freeze` leaves; the matrices are frozen."""
    blocks = len(model.blocks)
    names = [name for name, _ in model.named_parameters() if is_adapted(name, freeze, blocks)]
    for name in names:
        path, _, attribute = name.rpartition(".")
        weight = model.get_parameter(name).requires_grad_(False)
        draws = stream(seed, 0, f"lora {name}").integers(2**62)
        generator = torch.Generator().manual_seed(int(draws))
        update = LowRankUpdate(weight, rank, alpha, generator)
        parametrize.register_parametrization(model.get_submodule(path), attribute, update)
