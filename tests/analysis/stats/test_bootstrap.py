"""Test images: bits as the trial wrote them, McNemar, and seeds and images together."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as scipy_stats
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.ablations import ablation_for_sweep
from clip_hparam.analysis.evidence.correct_bits import count_images, read_correct, reported_bits
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.frames.json_files import UnreadableError
from clip_hparam.analysis.stats.binomial import mcnemar
from clip_hparam.analysis.stats.bootstrap import seed_image_interval
from clip_hparam.analysis.stats.intervals import estimate
from clip_hparam.analysis.tables.footnotes import footnotes

SIMULATED = [
    pytest.param(250, id="short"),
    pytest.param(2_000, id="full", marks=pytest.mark.slow),
]


def bits_of(draw: np.random.Generator, seeds: int, images: int, share: float) -> np.ndarray:
    return draw.random((seeds, images)) < share


def test_bits_are_what_the_trial_wrote(tmp_path: Path) -> None:
    right = np.random.default_rng(0).random(1597) < 0.9
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        archive = {
            "n": 1597,
            "acc1.raw.selected": np.packbits(right),
            "acc5.ema.last": np.packbits(~right),
        }
        np.savez(tmp_path / name / "correct.npz", **archive)
    assert (read_correct(tmp_path / "a", "raw") == right).all()
    assert (read_correct(tmp_path / "b", "ema", "last", "acc5") == ~right).all()
    with pytest.raises(UnreadableError, match=r"has no acc1\.ema\.selected"):
        read_correct(tmp_path / "a", "ema")
    (tmp_path / "a" / "correct.npz").write_bytes(b"PK half of an archive")
    for folder in (tmp_path / "a", tmp_path / "nowhere"):
        with pytest.raises(UnreadableError, match="cannot be read"):
            read_correct(folder, "raw")


def test_the_reported_weights_are_those_whose_bits_are_taken(runs: Runs) -> None:
    for ema_decay, acc1 in ((0.0, 90.0), (0.9, 95.0)):
        runs.done({"ema_decay": ema_decay}, 0, acc1)
    trials = runs.frames().trials
    found = dict(zip(trials["ema_decay"], reported_bits(trials).mean(axis=1), strict=True))
    assert found == pytest.approx({0.0: 0.90, 0.9: 0.95}, abs=1e-3)
    assert count_images(trials) == 1597


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (12, 3), (30, 41), (5, 5)])
def test_mcnemar_is_the_binomial_test_of_the_images_that_differ(gained: int, lost: int) -> None:
    before = np.array([False] * gained + [True] * lost + [True] * 50 + [False] * 7)
    after = np.array([True] * gained + [False] * lost + [True] * 50 + [False] * 7)
    found = mcnemar(after, before)
    exact = scipy_stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert found.p == pytest.approx(exact)
    assert found.difference == pytest.approx(100 * (after.mean() - before.mean()))
    spread = (after.astype(int) - before.astype(int)).std()
    assert found.standard_error == pytest.approx(100 * spread / math.sqrt(after.size))


def test_other_images_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="10 and 9 test images"):
        mcnemar(np.ones(10, bool), np.ones(9, bool))


def test_many_images_alike_leave_the_t_interval_over_seeds() -> None:
    """Where seeds differ much and images say all the same, resampling images adds nothing."""
    shares = np.array([0.90, 0.94, 0.92, 0.97])
    gains = np.arange(40_000)[None, :] % 100 < 100 * shares[:, None]
    found, theirs = seed_image_interval(gains, n_resamples=20_000), estimate(100 * shares)
    assert found.mean == pytest.approx(theirs.mean)
    assert found.high - found.low == pytest.approx(theirs.high - theirs.low, rel=0.05)


def test_seeds_alike_leave_the_error_of_the_images() -> None:
    right = np.arange(2_000) % 10 > 0
    found = seed_image_interval(np.array([right, right, right]))
    normal = 2 * 1.96 * 100 * math.sqrt(0.9 * 0.1 / 2_000)
    assert found.high - found.low == pytest.approx(normal, rel=0.05)


def test_the_luck_of_single_runs_is_not_counted_twice() -> None:
    """Where runs have no image in common, the spread over seeds says it all."""
    right = bits_of(np.random.default_rng(0), 6, 5_000, 0.9)
    found, theirs = (
        seed_image_interval(right, n_resamples=20_000),
        estimate(100 * right.mean(axis=1)),
    )
    assert found.high - found.low == pytest.approx(theirs.high - theirs.low, rel=0.06)


def test_pairing_by_image_is_worth_it_and_one_seed_has_no_interval() -> None:
    draw = np.random.default_rng(0)
    hard = draw.random(3_000)
    noise = draw.normal(0, 0.004, (2, 4, 3_000))
    before, after = hard + noise[0] < 0.9, hard + noise[1] < 0.92
    paired = seed_image_interval(after, before)
    alone = seed_image_interval(after)
    assert paired.high - paired.low < 0.6 * (alone.high - alone.low)
    assert math.isnan(seed_image_interval(after[:1], before[:1]).low)


@pytest.mark.parametrize("sweeps", SIMULATED)
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize(("skill", "chance"), [(0.06, 0.3), (0.06, 1.0), (0.3, 0.3), (0.02, 0.1)])
def test_it_covers_the_truth_over_seeds_and_images(
    seeds: int, skill: float, chance: float, sweeps: int
) -> None:
    """Images of random hardness, runs of random skill and luck: the truth is over all of them.

    The t interval over seeds, which takes the images as given, covers less.
    """
    draw = np.random.default_rng(seeds)
    truth = 100 * scipy_stats.norm.cdf(1.2 / math.hypot(1, chance, skill))
    both = seeds_only = 0
    for _ in range(sweeps):
        margin = 1.2 + draw.normal(0, skill, (seeds, 1)) - draw.normal(size=400)
        right = margin > draw.normal(0, chance, (seeds, 400))
        found, t = seed_image_interval(right, n_resamples=800), estimate(100 * right.mean(axis=1))
        both += found.low < truth < found.high
        seeds_only += t.low < truth < t.high
    luck = 3 * math.sqrt(0.95 * 0.05 / sweeps)
    assert 0.94 - luck <= both / sweeps <= 0.97 + luck
    assert seeds_only < both


@pytest.mark.parametrize("sweeps", SIMULATED)
def test_it_covers_a_paired_difference(sweeps: int) -> None:
    """Both sides share the images and, by seed, the skill; a truth that is no round number."""
    draw = np.random.default_rng(0)
    ends = [100 * scipy_stats.norm.cdf(at / math.hypot(1, 0.4, 0.1)) for at in (1.2, 1.25)]
    covered = 0
    for _ in range(sweeps):
        margin = draw.normal(0, 0.1, (5, 1)) - draw.normal(size=400)
        sides = [margin + at > draw.normal(0, 0.4, (5, 400)) for at in (1.25, 1.2)]
        found = seed_image_interval(*sides, n_resamples=800)
        covered += found.low < ends[1] - ends[0] < found.high
    luck = 3 * math.sqrt(0.95 * 0.05 / sweeps)
    assert 0.95 - luck <= covered / sweeps <= 0.97 + luck


def test_the_evidence_has_the_interval_over_both(runs: Runs) -> None:
    for seed in range(3):
        runs.done({}, seed, 90.0 + seed)
        runs.done({"lr": 1e-2}, seed, 93.0 - seed / 2)
    runs.sweep("pair", {"a": {}, "b": {"lr": 1e-2}}, seeds=range(3))
    frames = runs.frames()
    row = cell_evidence(frames, ablation_for_sweep("pair")).iloc[1]
    sides = [
        reported_bits(frames.trials[frames.trials["lr"] == lr].sort_values("seed"))
        for lr in (1e-2, 1e-3)
    ]
    expected = seed_image_interval(*sides)
    assert (row["both_low"], row["both_high"]) == (expected.low, expected.high)
    assert math.isnan(row["images_p"])


def test_one_seed_a_side_is_judged_by_its_images_and_says_so(runs: Runs) -> None:
    a, b = runs.done({}, 0, 90.0), runs.done({"lr": 1e-2}, 0, 93.0)
    runs.sweep("pair", {"a": {}, "b": {"lr": 1e-2}}, seeds=[0])
    frames = runs.frames()
    data = cell_evidence(frames, ablation_for_sweep("pair"))
    expected = mcnemar(read_correct(b.folder, "raw"), read_correct(a.folder, "raw")).p
    assert data["images_p"].iloc[1] == expected
    assert not data["delta_excludes_zero"].iloc[1]
    assert any(
        "b: one seed a side" in note for note in footnotes(frames, ablation_for_sweep("pair"), data)
    )
