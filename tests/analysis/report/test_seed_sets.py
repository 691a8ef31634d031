"""The page of disjoint seed sets has the numbers of the records, and counts the aims."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.cli import ROOT, python
from support.planned import planned_sweep
from support.trial_factory import MEANS, RUNGS, Runs, ladder_cells

from clip_hparam.analysis.evidence.replicates import NotSweptError
from clip_hparam.analysis.evidence.seed_sets import AIM, Counts, evidence_of_sets, seed_sets
from clip_hparam.analysis.report.seed_sets import numbers, page, write_seed_sets

PER_SET = 2


def write_sets(runs: Runs, flat: int = -1) -> None:
    """Write a ladder for each set; in the set number `flat`, all rungs are alike but for noise."""
    rng = np.random.default_rng(0)
    for number, seeds in enumerate(seed_sets(PER_SET)):
        for (rung, values), seed in itertools.product(ladder_cells().items(), seeds):
            mean = 96.0 if number == flat else MEANS[rung]
            runs.done(
                values, seed, mean + 0.1 * seed + rng.normal(0, 1.0 if number == flat else 0.005),
                finished=f"2026-11-{20 + seed:02}T00:00:00Z",
            )  # fmt: skip
        runs.sweep("ladder", ladder_cells(), seeds)


def test_sets_are_disjoint_and_hold_no_tuning_seed() -> None:
    sets = seed_sets()
    assert [(seeds[0], seeds[-1], len(seeds)) for seeds in sets] == [
        *((0, 9, 10), (10, 19, 10), (20, 29, 10)),
    ]
    assert max(map(max, sets)) < 100


def test_seeds_of_a_set_are_those_that_the_ladder_runs(tmp_path: Path) -> None:
    seeds = seed_sets(PER_SET)[1]
    sweep = planned_sweep("sweeps=ladder", f"seeds=[{','.join(map(str, seeds))}]", cwd=tmp_path)
    assert {plan.seed for plan in sweep.planned} == set(seeds)
    assert len(sweep.specs) == PER_SET * len(RUNGS)


def test_counts_of_a_set_are_those_of_its_evidence(runs: Runs) -> None:
    write_sets(runs, flat=2)
    sets = evidence_of_sets(runs.frames(), seed_sets(PER_SET))
    assert [one.name for one in sets] == ["0-1", "2-3", "4-5"]
    for one in sets:
        assert one.steps == len(RUNGS) - 1
        assert one.counts.signs == one.data["sign_agrees"].sum()
        assert one.counts.intervals == one.data["delta_excludes_zero"].sum()
        assert one.counts.holm == (one.data["delta_p_holm"] < 0.05).sum()
    assert sets[0].counts.intervals >= 4 > sets[2].counts.intervals
    assert Counts(5, 4, 3).reach(AIM)
    assert not Counts(6, 6, 2).reach(AIM)


def test_page_and_csv_have_each_set_with_its_facts(runs: Runs, tmp_path: Path) -> None:
    write_sets(runs, flat=2)
    frames = runs.frames()
    sets = evidence_of_sets(frames, seed_sets(PER_SET))
    text = page(frames, sets)
    assert "- Date: 2026-11-20 to 2026-11-25; 42 trials" in text
    assert "- Code: git aaaaaaa" in text
    assert text.count("| baseline ") == 3
    assert "| not reached |" in " ".join(text.split())
    row = sets[1].data.iloc[1]
    half = (row["delta_high"] - row["delta_low"]) / 2
    assert f"+{row['delta']:.2f} ± {half:.2f}" in text
    md, csv = write_seed_sets(frames, sets, tmp_path)
    assert md.read_text() == text
    written = pd.read_csv(csv)
    assert list(written["seeds"].unique()) == ["0-1", "2-3", "4-5"]
    assert len(written) == 3 * len(RUNGS)
    assert written["test_acc1"].to_list() == pytest.approx(numbers(sets)["test_acc1"].to_list())


def test_missing_ladder_names_its_command_and_a_missing_trial_is_refused(runs: Runs) -> None:
    write_sets(runs)
    with pytest.raises(NotSweptError, match=r"sweeps=ladder 'seeds=\[40,41\]'"):
        evidence_of_sets(runs.frames(), [range(40, 42)])
    record = next(runs.folder.glob("*/result.json"))
    record.unlink()
    with pytest.raises(ValueError, match="1 trial of the seeds"):
        evidence_of_sets(runs.frames(), seed_sets(PER_SET))


def test_ladders_that_differ_in_more_than_seeds_are_refused(runs: Runs) -> None:
    write_sets(runs)
    cells = {rung: {**values, "weight_decay": 0.1} for rung, values in ladder_cells().items()}
    for values in cells.values():
        for seed in range(PER_SET):
            runs.done(values, seed, 90.0 + seed)
    runs.sweep("ladder", cells, seeds=range(PER_SET))
    with pytest.raises(ValueError, match="differ in more than their seeds"):
        evidence_of_sets(runs.frames(), seed_sets(PER_SET))


def test_script_writes_the_page_from_records_alone(runs: Runs, tmp_path: Path) -> None:
    write_sets(runs)
    script = ROOT / "benchmarks" / "evidence_sets.py"
    words = ("--read-only", "--seeds", str(PER_SET), "--runs", runs.folder, "--out", tmp_path)
    done = python(script, *words, cwd=tmp_path)
    assert done.code == 0, done.err
    assert (tmp_path / "evidence_sets.md").is_file()
    refused = python(script, "--read-only", "--runs", runs.folder, cwd=tmp_path)
    assert refused.code == 1
    assert "no ladder with the seeds 0 to 9 is on record" in refused.err
