"""CLIP's logit scale as a factor separate from the head (logit_scale=fixed and trained).

With logit_scale=in_head the zero-shot head holds text embeddings times the scale. Its rows then
have a norm of about 100, and a step of AdamW turns them by a hundredth of what it turns unit rows.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from clip_hparam.model.classifier import Classifier

IN_HEAD, FIXED, TRAINED = "in_head", "fixed", "trained"


class LogitScale(nn.Module):
    """Parametrization of the head's weights: rows times exp(logit_scale), as CLIP stores it."""

    def __init__(self, scale: Tensor, is_trained: bool) -> None:
        super().__init__()
        self.logit_scale = nn.Parameter(scale.log(), requires_grad=is_trained)

    def forward(self, rows: Tensor) -> Tensor:
        """Return the weights of the head."""
        return rows * self.logit_scale.exp()

    def right_inverse(self, weights: Tensor) -> Tensor:
        """Return the rows for these weights of the head."""
        return weights / self.logit_scale.exp()


def separate_logit_scale(model: Classifier, mode: str) -> None:
    """Store the weights of the head as rows times a logit scale, which is their mean norm.

    mode: "fixed" or "trained", whether the scale is a constant or a parameter.
    """
    with torch.no_grad():
        scale = model.head.weight.norm(dim=1).mean()
    parametrize.register_parametrization(model.head, "weight", LogitScale(scale, mode == TRAINED))
