"""Ranges of knobs: parsed, written, and values inside."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.ranges import format_range, ranges

from clip_hparam.design.ranges import Range, parse_range


@given(ranges)
def test_parse_range_inverts_writing_a_range(drawn: Range) -> None:
    assert parse_range(format_range(drawn)) == drawn


@given(ranges, st.floats(0, 1, exclude_max=True))
def test_value_at_lies_in_the_range(drawn: Range, position: float) -> None:
    value = float(drawn.value_at(position))
    assert drawn.low <= value <= drawn.high
    assert not drawn.whole or value % 1 == 0


ends = st.floats(1e-7, 1e3) | st.floats(0.9, 1.0) | st.floats(1e-9, 1e-3).map(lambda gap: 1 - gap)


@given(st.lists(ends, min_size=2, max_size=2, unique=True), st.booleans())
def test_rounding_leaves_many_values_and_none_outside(pair: list[float], log: bool) -> None:
    low, high = sorted(pair)
    assume(high - low > 1e-12 * high)
    drawn = Range(low, high, log, whole=False)
    values = [float(drawn.value_at(place / 400)) for place in range(400)]
    assert all(low <= value <= high for value in values)
    assert values == sorted(values)
    assert len(set(values)) >= 50
    scale = math.log if log else float  # a log range is uniform in the logarithm
    first, last = ((scale(v) - scale(low)) / (scale(high) - scale(low)) for v in values[::399])
    assert first <= 1 / 50
    assert last >= 1 - 1 / 50


@pytest.mark.parametrize(
    ("text", "fewest"),
    [("interval(0.9999, 0.99999)", 300), ("interval(0.9995, 0.99999)", 300),
     ("interval(0.00012345, 0.00013)", 100)],
)  # fmt: skip
def test_range_close_to_one_or_narrow_is_resolved(text: str, fewest: int) -> None:
    drawn = parse_range(text)
    assert drawn is not None
    values = {float(drawn.value_at(place / 400)) for place in range(400)}
    assert len(values) >= fewest
    assert drawn.low <= min(values)
    assert max(values) <= drawn.high


@pytest.mark.parametrize(
    ("text", "position", "value"),
    [
        ("interval(0, 0.8)", 0.123456, "0.09876"),
        ("interval(0.5, 1)", 0.123456, "0.5617"),
        ("tag(log, interval(1e-4, 1e-2))", 0.123456, "0.0001766"),
        ("interval(0.9, 1)", 0.5, "0.95"),
        ("int(interval(1, 2))", 1 - 1e-16, "2"),
    ],
)
def test_wide_range_keeps_four_digits(text: str, position: float, value: str) -> None:
    drawn = parse_range(text)
    assert drawn is not None
    assert drawn.value_at(position) == value


@pytest.mark.parametrize(
    "text", ["interval(2, 1)", "tag(log, interval(0, 1))", "int(interval(0.5, 2))"]
)
def test_invalid_range_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="is not a range: it needs"):
        parse_range(text)


@pytest.mark.parametrize("text", ["0.1", "interval", "rand-m9-inc1", "interval(1, 2", "(1, 2)"])
def test_other_text_is_a_level(text: str) -> None:
    assert parse_range(text) is None
