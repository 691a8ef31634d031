"""Intervals against SciPy, Holm's correction against its definition."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from clip_hparam.analysis.stats.intervals import (
    estimate,
    holm,
    paired_differences,
    raced_estimate,
)
from clip_hparam.design import racing
from clip_hparam.design.racing import Race

SAMPLES = [[97.1, 96.8], [97.1, 96.8, 97.5, 97.0, 96.9], list(np.linspace(80, 90, 40))]
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


@pytest.mark.parametrize("values", SAMPLES, ids=len)
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_equals_scipys(values: list[float], level: float) -> None:
    ours = estimate(values, level)
    theirs = scipy_stats.ttest_1samp(values, 0).confidence_interval(level)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-12)
    assert ours.mean == pytest.approx(np.mean(values))
    assert ours.n == len(values)


RACE = Race(3, 8, step=2)
DIFFERENCES = [0.3, 0.1, 0.4, -0.1, 0.35, 0.2, 0.5, 0.15]


@pytest.mark.parametrize("n", [3, 5, 7, 8])
@pytest.mark.parametrize("nearer", [0.99, 1.01])
def test_a_raced_interval_ends_at_zero_where_the_race_decides(n: int, nearer: float) -> None:
    """At the bound of its look a difference is as far from zero as half of its interval."""
    values = np.array(DIFFERENCES[:n])
    error = scipy_stats.sem(values)
    values += nearer * racing.boundary(RACE, n) * error - values.mean()
    raced = raced_estimate(values, RACE)
    assert raced.low == pytest.approx((nearer - 1) * racing.boundary(RACE, n) * error)
    assert raced.high - raced.mean == pytest.approx(raced.mean - raced.low)
    assert raced.p == racing.p_value(values.tolist(), RACE)
    assert raced.high - raced.low > estimate(values).high - estimate(values).low


def test_before_its_first_look_a_race_has_the_plain_interval() -> None:
    assert raced_estimate(DIFFERENCES[:2], RACE) == estimate(DIFFERENCES[:2])
    assert raced_estimate([0.2, 0.2, 0.2], RACE).why == "all 3 seeds alike: no interval"


@pytest.mark.parametrize("shift", [-1.0, 0.0, 0.1, 1.0])
def test_a_paired_difference_equals_scipys_paired_t_test(shift: float) -> None:
    before = pd.Series([96.0, 97.0, 95.5, 96.2], index=[0, 1, 2, 3])
    after = (before + np.array([0.1, -0.2, 0.3, 0.05]) + shift).iloc[::-1]
    ours = estimate(paired_differences(after, before))
    theirs = scipy_stats.ttest_rel(after.sort_index(), before)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert ours.low == pytest.approx(theirs.confidence_interval().low)
    assert ours.excludes_zero == (theirs.pvalue < 0.05)


def test_only_seeds_in_common_are_paired() -> None:
    after, before = pd.Series({0: 1.0, 2: 5.0}), pd.Series({2: 3.0, 1: 9.0})
    assert list(paired_differences(after, before)) == [2.0]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([], "no seed"),
        ([97.0], "one seed"),
        ([97.0, 97.0, 97.0], "all 3 seeds alike"),
        ([0.1 + 0.2, 0.3], "all 2 seeds alike"),
        ([0.0, 0.0], "all 2 seeds alike"),
    ],
)
def test_a_missing_interval_has_a_reason(values: list[float], why: str) -> None:
    result = estimate(values)
    assert why in result.why
    assert math.isnan(result.low)
    assert math.isnan(result.p)
    assert not result.excludes_zero


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(ValueError, match="a value is NaN"):
        estimate([97.0, math.nan])


def test_holm_on_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_nan_is_not_counted_in_holms_family() -> None:
    adjusted = holm([math.nan, 0.02, 0.03])
    assert math.isnan(adjusted[0])
    assert adjusted[1:] == pytest.approx([0.04, 0.04])


@given(P_VALUES)
def test_holm_lies_between_the_raw_p_and_bonferroni_and_keeps_the_order(p: list[float]) -> None:
    adjusted = holm(p)
    for raw, value in zip(p, adjusted, strict=True):
        assert raw <= value <= min(1.0, raw * len(p))
    by_raw = [value for _, value in sorted(zip(p, adjusted, strict=True))]
    assert by_raw == sorted(by_raw)
