"""Interpolations have the bits of their ends, and the mean of one model its bits."""

import pytest
import torch
from torch import Tensor

from clip_hparam.weights.arithmetic import RunningMean, interpolate


def model(seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(50, 3, generator=generator) for name in ("a", "b")}


def test_the_ends_of_an_interpolation_have_the_bits_of_the_models() -> None:
    start, end = model(0), model(1)
    for alpha, expected in ((0.0, start), (1.0, end)):
        found = interpolate(start, end, alpha)
        assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.9])
def test_between_the_ends_is_the_weighted_mean(alpha: float) -> None:
    start, end = model(0), model(1)
    found = interpolate(start, end, alpha)
    torch.testing.assert_close(found["a"], (1 - alpha) * start["a"] + alpha * end["a"])
    frozen = interpolate(start, start, alpha)
    assert torch.equal(frozen["b"], start["b"]), "weights that were not trained keep their bits"


def test_the_mean_of_one_model_has_its_bits() -> None:
    one = model(0)
    found = RunningMean([one]).mean()
    assert all(torch.equal(found[name], one[name]) for name in one)


def test_the_mean_of_three_models_is_that_of_torch_and_does_not_depend_on_their_order() -> None:
    models = [model(seed) for seed in range(3)]
    expected = torch.stack([one["a"] for one in models]).mean(0)
    means = [RunningMean(order).mean() for order in (models, models[::-1])]
    torch.testing.assert_close(means[0]["a"], expected)
    assert torch.equal(means[0]["a"], means[1]["a"])


def test_a_mean_with_another_model_leaves_the_mean_as_it_is() -> None:
    models = [model(seed) for seed in range(3)]
    mean = RunningMean(models[:2])
    before = mean.mean()["a"]
    whole = RunningMean(models).mean()
    assert torch.equal(mean.mean_with(models[2])["b"], whole["b"])
    assert torch.equal(mean.mean()["a"], before)
