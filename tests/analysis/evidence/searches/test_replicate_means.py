"""A point is the mean over its seeds, and a seed is no knob."""

from collections.abc import Callable

import pytest
from support.trial_factory import Runs, write_ladder

from clip_hparam.analysis.evidence.searches.replicate_means import point_table
from clip_hparam.analysis.evidence.searches.summary import format_summary, summarise, summary_dict


def test_best_point_has_the_best_mean_and_not_the_luckiest_seed(runs: Runs) -> None:
    for seed, (steady, lucky) in enumerate([(93.0, 90.0), (93.1, 98.0), (92.9, 80.0)]):
        runs.done({"lr": 1e-3}, seed, steady)
        runs.done({"lr": 3e-3}, seed, lucky)
    points = point_table(runs.frames())
    assert points.points.knobs == ["lr"]
    assert len(points.trials.rows) == 6
    summary, _ = summarise(points)
    facts = summary_dict(summary)
    assert (facts["n"], facts["averaged"]) == (2, 6)
    assert facts["best"]["knobs"] == {"lr": 1e-3}
    assert facts["best"]["metrics"]["test_acc1"] == pytest.approx(93.0)
    text = format_summary(summary)
    assert "2 cells, means of 6 trials" in text
    assert "highest selection_acc1: lr=0.001 (mean over its seeds)" in text


def test_one_seed_per_point_keeps_the_ids_of_the_trials(runs: Runs) -> None:
    ids = [runs.done({"lr": lr}, 0, 90.0).trial_id for lr in (1e-3, 3e-3)]
    points = point_table(runs.frames())
    assert sorted(points.points.rows.index) == sorted(ids)
    assert points.points.averaged == 0


def test_point_with_a_pruned_seed_has_no_value(runs: Runs) -> None:
    runs.done({"lr": 1e-3}, 0, 95.0)
    runs.planned({"lr": 1e-3}, 1).write_status("pruned")
    for seed in (0, 1):
        runs.done({"lr": 3e-3}, seed, 90.0)
    summary, gaps = summarise(point_table(runs.frames()))
    assert summary_dict(summary)["best"]["knobs"] == {"lr": 3e-3}
    assert gaps[0].startswith("1 row without selection_acc1")


def test_ladder_has_no_seed_among_its_knobs_and_no_advice_to_widen(runs: Runs) -> None:
    write_ladder(runs)
    summary, _ = summarise(point_table(runs.frames()))
    facts = summary_dict(summary)
    assert (facts["n"], facts["averaged"]) == (7, 35)
    assert "seed" not in facts["best"]["knobs"]
    assert ["mixup", "cutmix"] in facts["confounded"]
    assert facts["widen"] == []
    assert "widen" not in format_summary(summary)


def test_summary_reads_runs_and_says_that_a_ladder_is_no_search(
    runs: Runs, call: Callable[..., tuple[int, str, str]]
) -> None:
    for name, lr in (("a", 1e-3), ("b", 3e-3)):
        runs.done({"lr": lr}, 0, 90.0)
        runs.sweep(name, {f"lr={lr}": {"lr": lr}}, seeds=[0])
    code, out, err = call("summary")
    assert code == 0, err
    assert out.startswith("2 trials\n")
    assert "no search is on record: these are all trials, of the sweeps a, b" in err
