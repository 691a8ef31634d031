"""Coverage of the intervals and false alarms after Holm's correction, in simulated sweeps.

With 2,000 sweeps the standard error of a coverage of 95 % is 0.5 points; 93-97 is +-4 of these.
"""

import numpy as np
import pandas as pd
import pytest

from clip_hparam.analysis.stats.intervals import estimate, holm, paired_differences

SWEEPS, TRUTH, SHARED, PER_RUN = 2_000, 0.3, 0.5, 0.15


def paired_runs(rng: np.random.Generator, seeds: int, gain: float) -> tuple[pd.Series, pd.Series]:
    """Return the results of two cells with a common effect of each seed."""
    common = rng.normal(97, SHARED, seeds)
    before, after = common + rng.normal(0, PER_RUN, (2, seeds))
    return pd.Series(after + gain), pd.Series(before)


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_of_a_mean_covers_the_truth(seeds: int) -> None:
    sample = np.random.default_rng(seeds).normal(TRUTH, SHARED, (SWEEPS, seeds))
    intervals = [estimate(values) for values in sample]
    assert 0.93 <= np.mean([each.low < TRUTH < each.high for each in intervals]) <= 0.97


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_of_a_paired_difference_covers_the_truth(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    intervals = [
        estimate(paired_differences(*paired_runs(rng, seeds, TRUTH))) for _ in range(SWEEPS)
    ]
    assert 0.93 <= np.mean([each.low < TRUTH < each.high for each in intervals]) <= 0.97


def test_pairing_by_seed_narrows_the_interval() -> None:
    """With shuffled seeds the interval is more than twice as wide."""
    rng = np.random.default_rng(0)
    after, before = paired_runs(rng, 10, TRUTH)
    shuffled = before.set_axis(np.roll(before.index, 1))
    paired = estimate(paired_differences(after, before))
    unpaired = estimate(paired_differences(after, shuffled))
    assert unpaired.high - unpaired.low > 2 * (paired.high - paired.low)


@pytest.mark.parametrize("seeds", [3, 5])
def test_holm_controls_the_family_wise_error_without_true_gains(seeds: int) -> None:
    """Six steps of a ladder without a true gain: at most 5 % of the tables have a false alarm."""
    rng = np.random.default_rng(seeds)
    ladders = rng.normal(97, SHARED, (SWEEPS, 1, seeds)) + rng.normal(
        0, PER_RUN, (SWEEPS, 7, seeds)
    )
    steps = np.diff(ladders, axis=1)
    p_values = [[estimate(step).p for step in ladder] for ladder in steps]
    alarms = [min(holm(p)) < 0.05 for p in p_values]
    naive = [min(p) < 0.05 for p in p_values]
    assert np.mean(alarms) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / SWEEPS)
    assert np.mean(naive) > 0.15
