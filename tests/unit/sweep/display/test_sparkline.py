"""A curve in one line: heights, missing values and averages."""

import math

import pytest

from clip_hparam.sweep.display.sparkline import sparkline


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], "▁▂▃▄▅▆▇█"),
        ([7.0, 0.0], "█▁"),
        ([3.0, 3.0], "▁▁"),
        ([1.0, None, 2.0, math.nan], "▁ █ "),
        ([], ""),
        ([None, math.inf], ""),
    ],
)
def test_heights_lie_between_the_least_and_the_largest_value(
    values: list[float | None], line: str
) -> None:
    assert sparkline(values) == line


def test_long_curves_are_averaged_to_the_given_number_of_points() -> None:
    assert sparkline([0.0] * 500 + [1.0] * 500, points=4) == "▁▁██"
    assert sparkline([0.0, None, 0.0, None, None, None, 1.0, 1.0], points=4) == "▁▁ █"
