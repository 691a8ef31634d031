"""Intervals of knobs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.config.knob import in_interval, split_dataset
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Data


@given(
    value=st.floats(-3, 3),
    low=st.integers(-2, 0),
    high=st.integers(1, 2),
    open_low=st.booleans(),
    open_high=st.booleans(),
)
def test_interval_has_open_and_closed_ends(
    value: float, low: int, high: int, open_low: bool, open_high: bool
) -> None:
    interval = f"{'(' if open_low else '['}{low}, {high}{')' if open_high else ']'}"
    above = low < value if open_low else low <= value
    below = value < high if open_high else value <= high
    assert in_interval(value, interval) == (above and below)


@given(st.integers(1, 10**9))
def test_value_of_one_data_set_is_legal(number: int) -> None:
    bound = Data(epoch_images=f"imagenet:{number}").epoch_images
    assert split_dataset(bound) == ("imagenet", str(number))
    assert split_dataset(number) == ("", str(number))


@pytest.mark.parametrize("value", ["imagenet:0", "imagenet:", ":5", "imagenet:1.5", "a:b:5", "5"])
def test_wrong_value_of_one_data_set_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"^data\.epoch_images=.* is (outside|not a) whole number"):
        Data(epoch_images=value)


@pytest.mark.parametrize("value", [True, False])
def test_bool_is_legal_for_a_switch(value: bool) -> None:
    assert Machine(activation_checkpointing=value).activation_checkpointing is value


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_other_value_of_a_switch_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"checkpointing=\w+ is not one of false, true"):
        Machine(activation_checkpointing=value)


@pytest.mark.parametrize("value", [-1, 2.5, "many", True])
def test_micro_batch_is_auto_or_a_whole_number(value: Any) -> None:
    assert Machine(micro_batch="auto").micro_batch == "auto"
    with pytest.raises(ValueError, match=r"machine\.micro_batch=.* whole number"):
        Machine(micro_batch=value)
