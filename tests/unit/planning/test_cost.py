"""Predicted cost comes from measured trials and scales with images and resolution."""

from dataclasses import replace

import pytest

from clip_hparam.config.duration import format_duration, parse_duration
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.planning.cost import TrialCost, predict_seconds
from clip_hparam.planning.resolve import resolve

RECIPE = resolve(with_values(Recipe(), {"data.selection": 10, "data.epoch_images": 500}))
KNOWN = TrialCost("tiny", "digits", 32 * 32, train_seconds_per_image=0.001, other_seconds=2.0)


def test_training_scales_with_images_and_pixels() -> None:
    seconds = predict_seconds(RECIPE, [KNOWN])
    assert seconds == pytest.approx(20 * 500 * 0.001 + 2)
    longer = with_values(RECIPE, {"epochs": 40})
    assert predict_seconds(longer, [KNOWN]) == pytest.approx(40 * 500 * 0.001 + 2)
    larger = with_values(RECIPE, {"resolution": 64})
    assert predict_seconds(larger, [KNOWN]) == pytest.approx(4 * seconds)


def test_trials_of_the_same_resolution_are_preferred() -> None:
    other = replace(KNOWN, image_area=64 * 64, train_seconds_per_image=1.0)
    assert predict_seconds(RECIPE, [other, KNOWN, other]) == predict_seconds(RECIPE, [KNOWN])


def test_no_similar_trial_gives_no_prediction() -> None:
    assert predict_seconds(RECIPE, [replace(KNOWN, encoder="ViT-B-16")]) is None
    assert predict_seconds(RECIPE, [replace(KNOWN, data="imagenet")]) is None


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1.5m", 90), ("2h", 7200)])
def test_parse_duration_reads_seconds_minutes_and_hours(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "8", "-1h", "0s", "8 hours", "infh"])
def test_parse_duration_refuses_other_text(text: str) -> None:
    with pytest.raises(ValueError, match="try budget=90s"):
        parse_duration(text)


@pytest.mark.parametrize(("seconds", "text"), [(59, "59 s"), (150, "2.5 min"), (9000, "2.5 h")])
def test_format_duration_picks_the_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
