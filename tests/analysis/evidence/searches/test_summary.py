"""Summary of a table of trials, against direct computations."""

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from support.trial_factory import Edit, Runs

from clip_hparam.analysis.evidence.ablations import ablation_for_sweep
from clip_hparam.analysis.evidence.replicates import count_missing_runs
from clip_hparam.analysis.evidence.searches.pruning import pruning_savings
from clip_hparam.analysis.evidence.searches.replicate_means import average_replicates, point_table
from clip_hparam.analysis.evidence.searches.summary import (
    boundary_knobs,
    format_summary,
    summarise,
    summary_dict,
)
from clip_hparam.analysis.frames.frame import trial_table
from clip_hparam.analysis.frames.importing.import_table import to_trial_table
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.analysis.tables.cell_table import cell_table

KNOBS, METRICS = ["lr", "mixup", "aug"], ["top1", "ood"]


def facts_of(table: TrialTable) -> tuple[dict[str, Any], list[str]]:
    """Return the JSON object of the summary of a table, and its gaps."""
    summary, gaps = summarise(average_replicates(table))
    return summary_dict(summary), gaps


def test_the_summary_equals_direct_computations(results: pd.DataFrame) -> None:
    summary, gaps = facts_of(to_trial_table(results, KNOBS, METRICS, "top1", name="run"))
    best = results.loc[results["top1"].idxmax()]
    assert gaps == []
    assert (summary["n"], summary["duplicates"], summary["incomplete"]) == (40, 0, 0)
    assert summary["best"]["name"] == best["run"]
    assert summary["best"]["metrics"] == {"top1": best["top1"], "ood": best["ood"]}
    assert summary["best"]["knobs"]["lr"] == best["lr"]
    rho = scipy_stats.spearmanr(results["top1"], results["ood"]).statistic
    assert summary["spearman"]["top1"]["ood"] == pytest.approx(rho)
    assert summary["expected_best"]["1"] == pytest.approx(results["top1"].mean())
    assert summary["expected_best"]["40"] == pytest.approx(results["top1"].max())
    pairs = [max(a, b) for i, a in enumerate(results["top1"]) for b in results["top1"][:i]]
    assert summary["expected_best"]["2"] == pytest.approx(np.mean(pairs))
    assert set(summary["expected_best"]) == {"1", "2", "5", "10", "20", "40"}
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_minimizing_equals_maximizing_the_negative(results: pd.DataFrame) -> None:
    least, _ = facts_of(to_trial_table(results, KNOBS, METRICS, "ood", minimize=True))
    negated = results.assign(ood=-results["ood"])
    most, _ = facts_of(to_trial_table(negated, KNOBS, METRICS, "ood"))
    assert least["best"]["knobs"] == most["best"]["knobs"]
    assert least["importance"] == most["importance"]
    assert least["edges"] == most["edges"]
    for n, value in least["expected_best"].items():
        assert value == pytest.approx(-most["expected_best"][n])


def test_boundary_knobs_are_numeric_with_their_best_value_at_an_end() -> None:
    rows = pd.DataFrame({
        "low": [1, 2, 3], "inner": [3, 2, 1], "one": [7, 7, 7], "text": ["a", "b", "c"],
        "gone": [1.0, np.nan, 3.0], "top1": [1.0, 3.0, 2.0],
    })  # fmt: skip
    knobs = ["low", "inner", "one", "text", "gone"]
    assert boundary_knobs(to_trial_table(rows, knobs, [], "top1")) == []
    assert boundary_knobs(to_trial_table(rows.assign(top1=[3.0, 1.0, 2.0]), knobs, [], "top1")) == [
        *("low", "inner", "gone")
    ]


def test_a_row_without_objective_is_counted_but_not_scored(results: pd.DataFrame) -> None:
    best = results["top1"].idxmax()
    results.loc[best, "top1"] = np.nan
    results.loc[0, "top1"] = math.inf
    summary, gaps = facts_of(to_trial_table(results, KNOBS, METRICS, "top1", name="run"))
    assert summary["n"] == 40
    assert "40" not in summary["expected_best"]
    assert summary["best"]["name"] == results["run"][results["top1"].drop(index=[0, best]).idxmax()]
    assert "2 rows without top1" in gaps[0]


def test_too_few_rows_or_knobs_give_a_sentence_instead_of_importance(results: pd.DataFrame) -> None:
    for rows, knobs in ((results[:9], KNOBS), (results, ["lr"]), (results.assign(top1=1.0), KNOBS)):
        summary, gaps = facts_of(to_trial_table(rows, knobs, METRICS, "top1"))
        assert summary["importance"] == {}
        assert "importance needs 10 rows" in gaps[-1]


def test_pruned_trials_count_as_tried_and_not_as_missing(runs: Runs, edit: Edit) -> None:
    cells = {f"draw {n}": {"lr": 1e-3 * n, "drop_path": 0.1 * n} for n in range(1, 6)}
    for number, values in enumerate(cells.values(), 1):
        if number in (2, 4):
            runs.done(values, 0, 90 + number)
        else:
            runs.planned(values, 0).write_status("pruned")
    runs.done({"lr": 0.9}, 0, 99.0)  # in no cell
    runs.sweep("random", cells, seeds=[0])
    (path,) = (runs.folder / ".sweeps").glob("*.json")
    edit(path, lambda tree: tree.update(kind="search"))
    frames = runs.frames()
    trials = trial_table(frames)
    savings = pruning_savings(frames)
    found, _ = summarise(point_table(frames))
    summary = summary_dict(found._replace(savings=savings))
    assert (summary["n"], summary["edges"], set(trials.scored["lr"])) == (5, [], {2e-3, 4e-3})
    assert format_summary(found).startswith("5 trials, 2 of them with selection_acc1\n")
    assert "pruning" not in format_summary(found)
    assert "pruning: 3 of 5 trials" in format_summary(found._replace(savings=savings))
    assert summary["spearman"]["selection_acc1"]["test_acc1"] is None  # of two pairs
    assert savings is not None
    assert (savings.trials, savings.pruned) == (5, 3)
    assert summary["pruning"]["share"] == savings.share
    ablation = ablation_for_sweep("random", "search")
    assert count_missing_runs(frames, ablation) == 0
    notes = cell_table(frames, ablation).notes
    assert next(note for note in notes if "pruned" in note).endswith("3 of 5 cells.")
    assert not any("no mean yet" in note for note in notes)
