"""Intervals of knobs."""

from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.config.knob import in_interval


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
