"""Power and number of seeds, against SciPy's noncentral t and simulated sweeps."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from clip_hparam.analysis.stats.intervals import estimate
from clip_hparam.analysis.stats.power import power, seeds_needed


@pytest.mark.parametrize("seeds", [2, 5, 30])
@pytest.mark.parametrize("difference", [-0.1, 0.2, 0.35])
def test_power_equals_the_noncentral_t_distribution(seeds: int, difference: float) -> None:
    shift = difference / 0.3 * math.sqrt(seeds)
    edge = scipy_stats.t.ppf(0.975, seeds - 1)
    theirs = scipy_stats.nct(seeds - 1, shift)
    assert power(0.3, difference, seeds) == pytest.approx(theirs.sf(edge) + theirs.cdf(-edge))


@pytest.mark.parametrize("spread", [0.05, 0.2, 0.5, 3.0])
def test_seeds_needed_is_the_least_number(spread: float) -> None:
    needed = seeds_needed(spread, 0.2)
    assert needed is not None
    assert power(spread, 0.2, needed) >= 0.8
    assert needed == 2 or power(spread, 0.2, needed - 1) < 0.8


def test_simulated_sweeps_have_the_computed_power() -> None:
    needed = seeds_needed(0.2, 0.2)
    assert needed is not None
    sample = np.random.default_rng(0).normal(0.2, 0.2, (2_000, needed))
    detected = np.mean([estimate(row).excludes_zero for row in sample])
    assert detected == pytest.approx(power(0.2, 0.2, needed), abs=0.03)


def test_an_unknown_or_unreachable_number_of_seeds_is_none() -> None:
    assert seeds_needed(math.nan, 0.2) is None
    assert seeds_needed(0.0, 0.2) is None
    assert seeds_needed(1e6, 0.2) is None
    with pytest.raises(ValueError, match="cannot be resolved"):
        seeds_needed(0.2, 0.0)
