"""A number that is printed as zero has no sign; other negative numbers have a true minus sign."""

import math

import pytest

from clip_hparam.config.text.numbers import format_number


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (-0.001, "+.2f", "0.00"),
        (0.001, "+.2f", "0.00"),
        (-0.0, "+.1f", "0.0"),
        (-0.004, ".2f", "0.00"),
        (-0.005001, "+.2f", "\N{MINUS SIGN}0.01"),
        (0.31, "+.2f", "+0.31"),
        (-10.0, "+.0f", "\N{MINUS SIGN}10"),
        (-math.inf, "+.2f", "\N{MINUS SIGN}inf"),
        (math.nan, "+.2f", ""),
    ],
)
def test_sign_of_a_number(value: float, spec: str, text: str) -> None:
    assert format_number(value, spec) == text
