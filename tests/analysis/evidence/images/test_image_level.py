"""Columns of the evidence that compare two cells image by image."""

import math

from support.trial_factory import Runs

from clip_hparam.analysis.evidence.ablations import ablation_for_sweep
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.images.correct_bits import read_correct, reported_bits
from clip_hparam.analysis.stats.binomial import mcnemar
from clip_hparam.analysis.stats.bootstrap import seed_image_interval
from clip_hparam.analysis.tables.footnotes import footnotes


def test_cell_evidence_has_the_interval_over_seeds_and_images(runs: Runs) -> None:
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


def test_with_one_seed_per_side_the_evidence_has_mcnemars_p(runs: Runs) -> None:
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
