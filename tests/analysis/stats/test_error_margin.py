"""The error of screened effects, measured over seeds, and what images can resolve."""

import math

import numpy as np
import pytest

from clip_hparam.analysis.stats.error_margin import counting_resolution, error_margin

SIGNS = np.array([[1 if cell >> bit & 1 else -1 for bit in range(3)] for cell in range(8)])


def effects_of(values: np.ndarray) -> list[float]:
    means = values.mean(axis=1)
    return [float(means[s > 0].mean() - means[s < 0].mean()) for s in SIGNS.T]


def test_margin_over_seeds_has_the_error_rate_of_its_interval() -> None:
    """Of effects that are zero, 5 % are beyond the margin, though seeds differ by much more."""
    rng = np.random.default_rng(0)
    beyond = []
    for _ in range(1500):
        values = rng.normal(0, 1, (8, 3)) + rng.normal(0, 20, 3)
        effects = effects_of(values)
        margin = error_margin(effects, values)
        beyond += [abs(effect) > margin.points for effect in effects]
    assert np.mean(beyond) == pytest.approx(0.05, abs=0.01)


def test_one_seed_uses_the_effects_themselves() -> None:
    values = np.zeros((8, 1))
    margin = error_margin([0.1, -0.1, 0.12, -0.09, 6.0], values)
    assert margin.points == pytest.approx(2 * 1.5 * 0.1)
    assert "one seed" in margin.method


def test_large_effects_do_not_widen_the_margin_of_one_seed() -> None:
    """Beyond 2.5 * 1.5 medians an effect is real, and the median is computed again without it."""
    margin = error_margin([1.0, -2.0, 3.0, 20.0, -30.0], np.zeros((8, 1)))
    assert margin.points == pytest.approx(2 * 1.5 * 2.0)


def test_equal_results_have_no_error() -> None:
    assert error_margin([0.0] * 3, np.full((8, 3), 90.0)).points == 0.0


def test_resolution_is_two_standard_errors_of_counting() -> None:
    rng = np.random.default_rng(1)
    images, trials, share = 50, 16, 0.8
    correct = rng.binomial(images, share, (4000, trials)) / images * 100
    differences = correct[:, ::2].mean(axis=1) - correct[:, 1::2].mean(axis=1)
    found = counting_resolution(100 * share, images, trials)
    assert found == pytest.approx(2 * differences.std(), rel=0.1)


def test_resolution_of_a_perfect_accuracy_is_not_zero() -> None:
    assert counting_resolution(100.0, 30, 16) > 1
    assert counting_resolution(100.0, 30, 16) < counting_resolution(90.0, 30, 16)
    assert math.isclose(
        counting_resolution(80.0, 10_000, 10),
        counting_resolution(80.0, 40_000, 10) * 2,
        rel_tol=0.01,
    )
