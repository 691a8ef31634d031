"""McNemar's test, against the exact binomial test."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from clip_hparam.analysis.stats.binomial import mcnemar


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (12, 3), (30, 41), (5, 5)])
def test_mcnemar_equals_the_binomial_test_of_the_differing_images(gained: int, lost: int) -> None:
    before = np.array([False] * gained + [True] * lost + [True] * 50 + [False] * 7)
    after = np.array([True] * gained + [False] * lost + [True] * 50 + [False] * 7)
    test = mcnemar(after, before)
    exact = scipy_stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert test.p == pytest.approx(exact)
    assert test.difference == pytest.approx(100 * (after.mean() - before.mean()))
    spread = (after.astype(int) - before.astype(int)).std()
    assert test.standard_error == pytest.approx(100 * spread / math.sqrt(after.size))


def test_different_numbers_of_images_are_refused() -> None:
    with pytest.raises(ValueError, match="10 and 9 test images"):
        mcnemar(np.ones(10, bool), np.ones(9, bool))
