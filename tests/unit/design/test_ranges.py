"""Ranges of knobs: parsed, written, and values inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.design.ranges import Range, parse_range

ranges = st.builds(
    lambda low, factor, log, whole: Range(float(low), float(low * factor), log, whole),
    st.integers(1, 50),
    st.integers(2, 9),
    st.booleans(),
    st.booleans(),
)


def format_range(drawn: Range) -> str:
    text = f"interval({drawn.low:g}, {drawn.high:g})"
    text = f"int({text})" if drawn.whole else text
    return f"tag(log, {text})" if drawn.log else text


@given(ranges)
def test_parse_range_inverts_writing_a_range(drawn: Range) -> None:
    assert parse_range(format_range(drawn)) == drawn


@given(ranges, st.floats(0, 1, exclude_max=True))
def test_value_at_lies_in_the_range(drawn: Range, position: float) -> None:
    value = float(drawn.value_at(position))
    assert drawn.low * (1 - 1e-3) <= value <= drawn.high * (1 + 1e-3)
    assert not drawn.whole or value % 1 == 0


@pytest.mark.parametrize(
    "text", ["interval(2, 1)", "tag(log, interval(0, 1))", "int(interval(0.5, 2))"]
)
def test_invalid_range_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="is no range: it needs"):
        parse_range(text)


@pytest.mark.parametrize("text", ["0.1", "interval", "rand-m9-inc1", "interval(1, 2", "(1, 2)"])
def test_other_text_is_a_level(text: str) -> None:
    assert parse_range(text) is None
