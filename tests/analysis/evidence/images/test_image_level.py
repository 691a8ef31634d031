"""Columns of the evidence that compare two cells image by image."""

import math

import pytest
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.ablations import ablation_for_sweep
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.images.correct_bits import read_correct, reported_bits
from clip_hparam.analysis.stats.binomial import mcnemar, wilson_interval
from clip_hparam.analysis.stats.bootstrap import seed_image_interval
from clip_hparam.analysis.tables.cell_table import cell_table
from clip_hparam.analysis.tables.conclusions import conclusion
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
    notes = footnotes(frames, ablation_for_sweep("pair"), data)
    assert any("over the 1,597 test images" in note for note in notes)
    assert not any("t interval over seeds" in note for note in notes)


def test_with_one_seed_tables_show_the_interval_over_paired_images(runs: Runs) -> None:
    a, b = runs.done({}, 0, 90.0), runs.done({"lr": 1e-2}, 0, 93.0)
    runs.sweep("pair", {"a": {}, "b": {"lr": 1e-2}}, seeds=[0])
    frames, ablation = runs.frames(), ablation_for_sweep("pair")
    paired = mcnemar(read_correct(b.folder, "raw"), read_correct(a.folder, "raw"))
    low, high = paired.interval
    assert (low + high) / 2 == pytest.approx(paired.difference)
    assert (high - low) / 2 == pytest.approx(1.96 * paired.standard_error, rel=1e-3)
    table = cell_table(frames, ablation)
    assert table.data["delta_low"].isna().all()  # of the csv: over seeds
    assert table.shown["Δ to the first"].tolist() == ["", f"+3.00 ± {(high - low) / 2:.2f}"]
    assert table.bold["Δ to the first"].tolist() == [False, True]
    wilson = wilson_interval(90.0, 1597)
    assert table.shown["test accuracy, %"].iloc[0] == f"90.00 ± {(wilson[1] - wilson[0]) / 2:.2f}"
    assert "one seed, over paired test images" in conclusion(frames, ablation)


def test_without_records_of_single_images_one_seed_has_no_interval(runs: Runs) -> None:
    for lr, acc1 in ((1e-3, 90.0), (1e-2, 93.0)):
        record = runs.done({"lr": lr}, 0, acc1)
        (record.folder / "correct.npz").unlink()
        record.write_result(record.result() or {})
    runs.sweep("pair", {"a": {"lr": 1e-3}, "b": {"lr": 1e-2}}, seeds=[0])
    table = cell_table(runs.frames(), ablation_for_sweep("pair"))
    assert table.shown["Δ to the first"].tolist() == ["", "+3.00"]
    assert any("one seed: no interval" in note for note in table.notes)
