"""Known truth, simulated: what the intervals cover, and how often Holm cries wolf.

2,000 sweeps put a standard error of 0.5 points on a coverage of 95 %, so 93-97 is four of them.
"""

import numpy as np
import pandas as pd
import pytest

from clip_hparam.analysis.stats.intervals import estimate, holm, paired_differences

SWEEPS, TRUTH, SHARED, OWN = 2_000, 0.3, 0.5, 0.15


def paired_runs(draw: np.random.Generator, seeds: int, gain: float) -> tuple[pd.Series, pd.Series]:
    """Two cells that share what a seed does to both."""
    common = draw.normal(97, SHARED, seeds)
    before, after = common + draw.normal(0, OWN, (2, seeds))
    return pd.Series(after + gain), pd.Series(before)


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_of_a_mean_covers_the_truth(seeds: int) -> None:
    sample = np.random.default_rng(seeds).normal(TRUTH, SHARED, (SWEEPS, seeds))
    found = [estimate(values) for values in sample]
    assert 0.93 <= np.mean([one.low < TRUTH < one.high for one in found]) <= 0.97


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_of_a_paired_difference_covers_the_truth(seeds: int) -> None:
    draw = np.random.default_rng(seeds)
    found = [estimate(paired_differences(*paired_runs(draw, seeds, TRUTH))) for _ in range(SWEEPS)]
    assert 0.93 <= np.mean([one.low < TRUTH < one.high for one in found]) <= 0.97


def test_pairing_is_worth_it() -> None:
    """The same runs with seeds shuffled have intervals several times as wide."""
    draw = np.random.default_rng(0)
    after, before = paired_runs(draw, 10, TRUTH)
    shuffled = before.set_axis(np.roll(before.index, 1))
    together, apart = (
        estimate(paired_differences(after, before)),
        estimate(paired_differences(after, shuffled)),
    )
    assert apart.high - apart.low > 2 * (together.high - together.low)


@pytest.mark.parametrize("seeds", [3, 5])
def test_holm_keeps_the_rate_of_a_table_where_nothing_helps(seeds: int) -> None:
    """Six steps of a ladder, no true gain: at least one false alarm in at most 5 % of tables."""
    draw = np.random.default_rng(seeds)
    ladders = draw.normal(97, SHARED, (SWEEPS, 1, seeds)) + draw.normal(0, OWN, (SWEEPS, 7, seeds))
    steps = np.diff(ladders, axis=1)
    p_values = [[estimate(step).p for step in ladder] for ladder in steps]
    alarms = [min(holm(p)) < 0.05 for p in p_values]
    naive = [min(p) < 0.05 for p in p_values]
    assert np.mean(alarms) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / SWEEPS)
    assert np.mean(naive) > 0.15
