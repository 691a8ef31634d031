"""Predicted GPU-hours of the published runs lie near the published ones."""

from dataclasses import replace

import pytest
from support.published_recipe import published_recipe

from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.design.paper_ladder import PAPER_V100_HOURS
from clip_hparam.planning.estimates.throughput import (
    DEVICES,
    describe_device,
    gpu_seconds,
    operations,
)

GFLOP_OF_A_TRAINING_STEP = {  # an image, forward and backward; measured on the meta device
    "ft_clip/b16": 104.9,
    "ft_clip/b16_384": 332,
    "ft_clip/l14": 485.5,
    "ft_clip/l14_336": 1145,
}


@pytest.mark.parametrize(("name", "gflop"), GFLOP_OF_A_TRAINING_STEP.items())
def test_operations_of_a_step_equal_those_of_the_model(name: str, gflop: float) -> None:
    recipe = published_recipe(f"recipe={name}")
    one_epoch = as_resolved(replace(recipe, epochs=1))
    images = recipe.data.epoch_images // recipe.batch_size * recipe.batch_size
    assert operations(one_epoch) / images / 1e9 == pytest.approx(gflop, rel=0.01)


@pytest.mark.parametrize("rung", PAPER_V100_HOURS)
def test_hours_of_the_ladder_are_within_a_tenth_of_the_paper(rung: str) -> None:
    recipe = published_recipe("family=b16", f"recipe={rung}")
    hours = gpu_seconds(recipe, DEVICES["V100"]) / 3600
    assert hours == pytest.approx(PAPER_V100_HOURS[rung], rel=0.1)


def test_the_assumption_is_stated_with_its_source() -> None:
    sentence = describe_device("A100")
    assert "14 % of 312 TFLOP/s" in sentence
    assert "CLIP_B16" in sentence
