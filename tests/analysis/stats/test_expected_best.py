"""Expected best of n trials, against all subsets."""

from itertools import combinations

import numpy as np
import pytest

from clip_hparam.analysis.stats.expected_best import expected_best

VALUES = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0]


@pytest.mark.parametrize("n", range(1, 8))
@pytest.mark.parametrize("minimize", [False, True])
def test_expected_best_equals_the_mean_over_all_subsets(n: int, minimize: bool) -> None:
    best = min if minimize else max
    subsets = [best(subset) for subset in combinations(VALUES, n)]
    assert expected_best(VALUES, n, minimize) == pytest.approx(np.mean(subsets))


def test_expected_best_is_unbiased_and_works_for_large_tables() -> None:
    rng = np.random.default_rng(0)
    estimates = [expected_best(rng.random(12), 5) for _ in range(2_000)]
    assert np.mean(estimates) == pytest.approx(5 / 6, abs=0.01)
    assert expected_best(np.arange(100_000), 40) == pytest.approx(100_001 * 40 / 41 - 1, rel=1e-6)


@pytest.mark.parametrize("n", [0, 8])
def test_n_outside_the_number_of_trials_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match=r"outside \[1, 7\]"):
        expected_best(VALUES, n)


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(ValueError, match="missing"):
        expected_best([*VALUES, float("nan")], 2)
