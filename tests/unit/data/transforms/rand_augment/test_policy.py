"""A string means what timm reads in it."""

import math

import pytest

from clip_hparam.config.knob import validate
from clip_hparam.config.recipe import Recipe
from clip_hparam.data.transforms.rand_augment.policy import fill_levels, parse_policy


def test_the_published_string() -> None:
    policy = parse_policy("rand-m9-mstd0.5-inc1")
    assert (policy.magnitude, policy.deviation, policy.highest) == (9.0, 0.5, 10.0)
    assert (policy.layers, policy.probability, policy.weights) == (2, 0.5, None)
    assert len(policy.names) == 15
    assert "PosterizeIncreasing" in policy.names


@pytest.mark.parametrize(
    ("string", "field", "value"),
    [
        ("rand-m4", "magnitude", 4.0),
        ("rand-n5", "magnitude", 10.0),
        ("rand-n5", "layers", 5),
        ("rand-p0.25", "probability", 0.25),
        ("rand-p1", "probability", 1.0),
        ("rand-mstd101", "deviation", math.inf),
        ("rand-m9", "deviation", 0.0),
        ("rand-mstd1.5-mstd0.5", "deviation", 1.5),
        ("rand-mmax30", "highest", 30.0),
        ("rand-mmax0", "highest", 10.0),
        ("rand-t3a", "names", ("SolarizeIncreasing", "Desaturate", "GaussianBlur")),
        ("none", "layers", 0),
    ],
)
def test_section_sets_its_field(string: str, field: str, value: object) -> None:
    validate(Recipe(rand_augment=string))
    assert getattr(parse_policy(string), field) == value


@pytest.mark.parametrize(
    ("string", "largest"), [("rand-tweights", "Rotate"), ("rand-t3aw", "Desaturate")]
)
def test_weighted_sets_have_probabilities(string: str, largest: str) -> None:
    policy = parse_policy(string)
    assert policy.weights is not None
    assert sum(policy.weights) == pytest.approx(1)
    assert policy.weights[policy.names.index(largest)] == max(policy.weights)


def test_fill_is_the_mean_of_the_pixels() -> None:
    assert fill_levels("clip") == (123, 117, 104)
    assert fill_levels("inception") == (128, 128, 128)
