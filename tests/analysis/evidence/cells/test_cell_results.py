"""Rows of the table in the terminal have the numbers of the tables, and no biased mean."""

import math

import pytest

from clip_hparam.analysis.evidence.cells.cell_results import SeedResults, cell_results, reference_of
from clip_hparam.analysis.stats.intervals import estimate

FIRST = SeedResults("a", 3, {0: 90.0, 1: 91.0, 2: 92.0}, {0: 80.0, 1: 80.0, 2: 80.0})
SECOND = SeedResults("b", 3, {0: 92.0, 1: 93.0, 2: 95.0}, {0: 79.0, 1: 79.0, 2: 79.0})
THIRD = SeedResults("c", 3, {0: 92.0, 1: 93.0, 2: 94.0}, {0: 70.0, 1: 70.0, 2: 70.0})


def test_the_interval_and_the_paired_difference_are_those_of_the_statistics() -> None:
    first, second = cell_results([FIRST, SECOND], "first")
    assert first.test == estimate([90.0, 91.0, 92.0])
    assert second.delta == estimate([2.0, 2.0, 3.0])
    assert (first.against, second.against) == ("", "a")


def test_differences_are_taken_to_the_cell_before_in_a_ladder() -> None:
    *_, third = cell_results([FIRST, SECOND, THIRD], "previous")
    assert third.against == "b"
    assert third.delta.mean == pytest.approx(-1 / 3)
    assert (reference_of("mine", "ladder"), reference_of("lr", "grid")) == ("previous", "first")


def test_the_cell_is_selected_by_the_selection_set_among_complete_cells() -> None:
    running = SeedResults("d", 3, {0: 99.0}, {0: 99.0})
    rows = cell_results([FIRST, SECOND, running], "first")
    assert [row.selected for row in rows] == [True, False, False]


def test_equal_means_are_not_told_apart_by_the_order_of_their_sum() -> None:
    few, many = 1 / 12 * 100, 25.0  # of 12 selection images
    assert sum((many, few, few)) < sum((few, few, many)), "the sums differ in their last bit"
    tests = {0: 90.0, 1: 91.0, 2: 92.0}
    first = SeedResults("a", 3, tests, {0: many, 1: few, 2: few})
    second = SeedResults("b", 3, tests, {0: few, 1: few, 2: many})
    rows = cell_results([first, second], "first")
    assert [row.selected for row in rows] == [True, False]


def test_a_running_cell_has_a_mean_so_far_and_pairs_the_seeds_in_common() -> None:
    running = SeedResults("d", 3, {1: 95.0, 2: 97.0}, {1: 80.0, 2: 82.0})
    row = cell_results([FIRST, running], "first")[1]
    assert (row.done, row.asked, row.selection) == (2, 3, 81.0)
    assert row.delta == estimate([4.0, 5.0])


def test_a_cell_with_a_failed_trial_has_no_mean_and_no_difference() -> None:
    failed = SeedResults("d", 3, {1: 95.0, 2: 97.0}, {1: 80.0, 2: 82.0}, ended=True)
    row = cell_results([FIRST, failed], "first")[1]
    assert math.isnan(row.test.mean)
    assert math.isnan(row.delta.mean)
    facts = row.to_dict()
    assert (facts["test_acc1"], facts["delta"], facts["done"]) == (None, None, 2)
