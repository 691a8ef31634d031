"""Exchange the modules of a tower for faster ones with the same parameters."""

from open_clip.transformer import QuickGELU as OpenClipQuickGELU
from open_clip.transformer import ResidualAttentionBlock
from torch import Tensor, nn

from clip_hparam.model.classifier import Classifier
from clip_hparam.model.kernels.activation import QuickGELU
from clip_hparam.model.kernels.attention import SelfAttention
from clip_hparam.model.kernels.layer_norm import LayerNorm

KERNELS = REFERENCE, FUSED = ("reference", "fused")
"""open_clip's modules, or those of this folder."""


class Block(nn.Module):
    """open_clip's ResidualAttentionBlock: attention and MLP, each after a LayerNorm.

    attention: kernel of SelfAttention.
    """

    def __init__(self, block: ResidualAttentionBlock, attention: str) -> None:
        super().__init__()
        self.ln_1 = fused_norm(block.ln_1)
        self.attn = SelfAttention(block.attn, attention)
        self.ls_1 = block.ls_1
        self.ln_2 = fused_norm(block.ln_2)
        self.mlp = block.mlp
        if isinstance(self.mlp.gelu, OpenClipQuickGELU):
            self.mlp.gelu = QuickGELU()
        self.ls_2 = block.ls_2

    def forward(
        self, x: Tensor, k_x: None = None, v_x: None = None, attn_mask: None = None
    ) -> Tensor:
        """Return the tokens, shape (b, tokens, width), after both residual branches.

        The other arguments are those of open_clip's block, and None in an image tower.
        """
        x = x + self.ls_1(self.attn(self.ln_1(x)))
        result: Tensor = x + self.ls_2(self.mlp(self.ln_2(x)))
        return result


def fused_norm(norm: nn.Module) -> nn.Module:
    """Return a LayerNorm with the parameters of open_clip's; another module as it is."""
    if not isinstance(norm, nn.LayerNorm):
        return norm
    fused = LayerNorm(norm.normalized_shape, norm.eps, device="meta")
    fused.weight, fused.bias = norm.weight, norm.bias
    return fused


def use_fused_kernels(model: Classifier, attention: str) -> None:
    """Exchange the blocks and ln_pre of a model in place; its parameters stay the same objects."""
    model.ln_pre = fused_norm(model.ln_pre)
    for index, block in enumerate(model.blocks):
        model.blocks[index] = Block(block, attention)
