"""The head of a classifier of timm is not taken for the projection of CLIP."""

import pytest
import torch
from torch import Tensor

from clip_hparam.model.timm_keys import to_open_clip_keys


def timm_state(prefix: str, **head: Tensor) -> dict[str, Tensor]:
    own = {"cls_token": torch.zeros(1, 1, 8), "pos_embed": torch.zeros(1, 5, 8)}
    return {prefix + name.replace("_of_", "."): t for name, t in (own | head).items()}


@pytest.mark.parametrize("prefix", ["", "trunk."])
@pytest.mark.parametrize("classes", [3, 8])
def test_head_with_a_bias_keeps_its_name(classes: int, prefix: str) -> None:
    head = {"head_of_weight": torch.rand(classes, 8), "head_of_bias": torch.zeros(classes)}
    renamed = to_open_clip_keys(timm_state(prefix, **head))
    assert "proj" not in renamed
    assert torch.equal(renamed["head.weight"], head["head_of_weight"])


def test_head_without_a_bias_is_the_projection() -> None:
    head = torch.rand(3, 8)
    renamed = to_open_clip_keys(timm_state("", head_of_weight=head))
    assert torch.equal(renamed["proj"], head.T)
