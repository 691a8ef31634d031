"""Ranks with other weights than rank 0 are named before they train."""

import pytest
import torch
from support.multiprocess import in_ranks
from torch import nn

from clip_hparam.distributed import SINGLE_PROCESS, DistributedContext
from clip_hparam.training.ranks.agreement import check_equal_weights, state_dict_sha256


def small_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def compare(context: DistributedContext, odd: tuple[int, ...]) -> None:
    model = small_model()
    model[0].bias.requires_grad_(False)
    if context.rank in odd:
        model[0].bias += torch.finfo().eps
    check_equal_weights(context, [model, small_model()], "after the resume")


def test_ranks_with_the_same_weights_agree() -> None:
    assert in_ranks(3, compare, ()) == [None] * 3


@pytest.mark.parametrize(
    ("odd", "named"), [((2,), "rank 2"), ((1, 3), "rank 1 and rank 3"), ((1, 2, 3), "rank 1 and")]
)
def test_ranks_with_other_frozen_weights_are_named_in_all_ranks(
    odd: tuple[int, ...], named: str
) -> None:
    errors = in_ranks(4, compare, odd)
    assert len({str(error) for error in errors}) == 1
    assert str(errors[0]).startswith(f"the weights of {named}")
    assert "of 4 are not those of rank 0 after the resume: all ranks must read" in str(errors[0])


def test_digest_depends_on_each_parameter_and_buffer() -> None:
    digests = {state_dict_sha256([small_model()])}
    for name, tensor in small_model().state_dict().items():
        other = small_model()
        other.state_dict()[name].add_(torch.ones_like(tensor))
        digests.add(state_dict_sha256([other]))
    assert len(digests) == 1 + len(small_model().state_dict())


def test_single_process_compares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DistributedContext, "all_gather", None)
    check_equal_weights(SINGLE_PROCESS, [small_model()], "at the start")
