"""Ticks are at round numbers, and the rows of a grid of panels are as full as possible."""

import pytest

from clip_hparam.analysis.figures.parts.ticks import (
    balanced_columns,
    count_ticks,
    number_ticks,
)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(1, 20, [0, 5, 10, 15, 20]), (1, 36, [0, 10, 20, 30, 40]), (1, 3, [1, 2, 3])],
)
def test_counts_are_whole_and_round(low: float, high: float, ticks: list[float]) -> None:
    assert list(count_ticks(5).tick_values(low, high)) == ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(-0.9, 2.3, [-1, 0, 1, 2, 3]), (0.52, 0.97, [0.5, 0.6, 0.7, 0.8, 0.9, 1])],
)
def test_numbers_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert list(number_ticks(5).tick_values(low, high)) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("panels", "most", "columns"), [(1, 4, 1), (4, 3, 2), (5, 4, 3), (7, 4, 4), (9, 4, 3)]
)
def test_rows_of_panels_are_equally_full(panels: int, most: int, columns: int) -> None:
    assert balanced_columns(panels, most) == columns
