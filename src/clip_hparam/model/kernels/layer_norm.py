"""LayerNorm that keeps the precision of its input under autocast on a GPU."""

import torch.nn.functional as F
from timm.layers.fast_norm import fast_layer_norm
from torch import Tensor, nn


class LayerNorm(nn.LayerNorm):
    """open_clip's LayerNorm, without its two casts under autocast on a GPU.

    There, autocast computes a LayerNorm in fp32: the input is cast and saved in fp32, and
    open_clip casts the output back. torch's kernel computes in fp32 whatever its input is.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return x, shape (..., width), normalised over its last dimension."""
        if x.is_cuda:
            result: Tensor = fast_layer_norm(
                x, list(self.normalized_shape), self.weight, self.bias, self.eps
            )
            return result
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
