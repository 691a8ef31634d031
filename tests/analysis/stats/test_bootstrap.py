"""Interval over seeds and test images, against known variances and simulated coverage."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from clip_hparam.analysis.stats.bootstrap import seed_image_interval
from clip_hparam.analysis.stats.intervals import estimate

SIMULATED = [
    pytest.param(250, id="short"),
    pytest.param(2_000, id="full", marks=pytest.mark.slow),
]


def random_bits(rng: np.random.Generator, seeds: int, images: int, share: float) -> np.ndarray:
    return rng.random((seeds, images)) < share


def test_without_image_variance_the_interval_is_the_t_interval_over_seeds() -> None:
    """All images have the same mean, so resampling images adds no variance."""
    shares = np.array([0.90, 0.94, 0.92, 0.97])
    gains = np.arange(40_000)[None, :] % 100 < 100 * shares[:, None]
    interval, theirs = seed_image_interval(gains, n_resamples=20_000), estimate(100 * shares)
    assert interval.mean == pytest.approx(theirs.mean)
    assert interval.high - interval.low == pytest.approx(theirs.high - theirs.low, rel=0.05)


def test_without_seed_variance_the_interval_is_the_error_over_images() -> None:
    right = np.arange(2_000) % 10 > 0
    interval = seed_image_interval(np.array([right, right, right]))
    normal = 2 * 1.96 * 100 * math.sqrt(0.9 * 0.1 / 2_000)
    assert interval.high - interval.low == pytest.approx(normal, rel=0.05)


def test_noise_of_single_runs_is_not_counted_twice() -> None:
    """The errors of the runs are independent, so the spread over seeds is all variance."""
    right = random_bits(np.random.default_rng(0), 6, 5_000, 0.9)
    interval, theirs = (
        seed_image_interval(right, n_resamples=20_000),
        estimate(100 * right.mean(axis=1)),
    )
    assert interval.high - interval.low == pytest.approx(theirs.high - theirs.low, rel=0.06)


def test_pairing_by_image_narrows_the_interval_and_one_seed_has_none() -> None:
    rng = np.random.default_rng(0)
    hard = rng.random(3_000)
    noise = rng.normal(0, 0.004, (2, 4, 3_000))
    before, after = hard + noise[0] < 0.9, hard + noise[1] < 0.92
    paired = seed_image_interval(after, before)
    alone = seed_image_interval(after)
    assert paired.high - paired.low < 0.6 * (alone.high - alone.low)
    assert math.isnan(seed_image_interval(after[:1], before[:1]).low)


@pytest.mark.parametrize("sweeps", SIMULATED)
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize(("skill", "chance"), [(0.06, 0.3), (0.06, 1.0), (0.3, 0.3), (0.02, 0.1)])
def test_the_interval_covers_the_truth_over_seeds_and_images(
    seeds: int, skill: float, chance: float, sweeps: int
) -> None:
    """Difficulty of images, skill of runs and noise are random; the truth is the mean over them.

    The t interval over seeds, which treats the images as fixed, covers less.
    """
    rng = np.random.default_rng(seeds)
    truth = 100 * scipy_stats.norm.cdf(1.2 / math.hypot(1, chance, skill))
    both = seeds_only = 0
    for _ in range(sweeps):
        margin = 1.2 + rng.normal(0, skill, (seeds, 1)) - rng.normal(size=400)
        right = margin > rng.normal(0, chance, (seeds, 400))
        interval, t = (
            seed_image_interval(right, n_resamples=800),
            estimate(100 * right.mean(axis=1)),
        )
        both += interval.low < truth < interval.high
        seeds_only += t.low < truth < t.high
    tolerance = 3 * math.sqrt(0.95 * 0.05 / sweeps)
    assert 0.94 - tolerance <= both / sweeps <= 0.97 + tolerance
    assert seeds_only < both


@pytest.mark.parametrize("sweeps", SIMULATED)
def test_the_interval_of_a_paired_difference_covers_the_truth(sweeps: int) -> None:
    """Both sides share the images and, by seed, the skill."""
    rng = np.random.default_rng(0)
    ends = [100 * scipy_stats.norm.cdf(at / math.hypot(1, 0.4, 0.1)) for at in (1.2, 1.25)]
    covered = 0
    for _ in range(sweeps):
        margin = rng.normal(0, 0.1, (5, 1)) - rng.normal(size=400)
        sides = [margin + at > rng.normal(0, 0.4, (5, 400)) for at in (1.25, 1.2)]
        interval = seed_image_interval(*sides, n_resamples=800)
        covered += interval.low < ends[1] - ends[0] < interval.high
    tolerance = 3 * math.sqrt(0.95 * 0.05 / sweeps)
    assert 0.95 - tolerance <= covered / sweeps <= 0.97 + tolerance
