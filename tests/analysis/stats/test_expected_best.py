"""The best of n, against all subsets; and what picking on the test set claims too much."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.ablations import ablation_for_sweep
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.selection import selection_effect
from clip_hparam.analysis.stats.expected_best import expected_best
from clip_hparam.analysis.tables.footnotes import footnotes

VALUES = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0]


@pytest.mark.parametrize("n", range(1, 8))
@pytest.mark.parametrize("minimize", [False, True])
def test_it_is_the_mean_over_all_subsets(n: int, minimize: bool) -> None:
    best = min if minimize else max
    subsets = [best(subset) for subset in combinations(VALUES, n)]
    assert expected_best(VALUES, n, minimize) == pytest.approx(np.mean(subsets))


def test_it_is_unbiased_for_fresh_trials_and_large_tables_are_no_problem() -> None:
    draw = np.random.default_rng(0)
    estimates = [expected_best(draw.random(12), 5) for _ in range(2_000)]
    assert np.mean(estimates) == pytest.approx(5 / 6, abs=0.01)
    assert expected_best(np.arange(100_000), 40) == pytest.approx(100_001 * 40 / 41 - 1, rel=1e-6)


@pytest.mark.parametrize("n", [0, 8])
def test_more_than_there_are_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match=r"outside \[1, 7\]"):
        expected_best(VALUES, n)


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(ValueError, match="missing"):
        expected_best([*VALUES, float("nan")], 2)


def test_picking_on_the_test_set_claims_what_is_not_there() -> None:
    """20 recipes of the same true accuracy: honest reports hit it on average, claims do not."""
    draw = np.random.default_rng(0)
    names = [f"recipe {number}" for number in range(20)]
    effects = [
        selection_effect(*(pd.Series(draw.normal(97, 0.3, 20), index=names) for _ in range(2)))
        for _ in range(1_000)
    ]
    assert np.mean([effect.reported for effect in effects]) == pytest.approx(97, abs=0.04)
    assert np.mean([effect.claimed for effect in effects]) > 97.4
    assert min(effect.optimism for effect in effects) >= 0


def test_ties_go_to_the_earlier_and_names_are_aligned() -> None:
    test = pd.Series({"a": 70.0, "b": 60.0, "c": 75.0, "d": 75.0})
    selection = pd.Series({"b": 90.0, "a": 90.0, "d": 80.0, "c": 80.0})
    assert selection_effect(selection, test) == ("a", 70.0, "c", 75.0)
    higher = pd.Series({"b": 95.0, "a": 90.0, "d": 80.0, "c": 80.0})
    assert selection_effect(higher, test)[:2] == ("b", 60.0)


def test_a_table_says_what_selecting_on_the_test_set_would_claim(runs: Runs) -> None:
    cells = {"a": {"lr": 1e-4}, "b": {"lr": 1e-3}}
    for (acc1, held_out), values in zip(((96.0, 99.0), (97.0, 98.0)), cells.values(), strict=True):
        metrics = {"test_acc1.raw.selected": acc1, "selection_acc1.raw.selected": held_out}
        for seed in (0, 1):
            runs.done(values, seed, acc1, metrics=metrics)
    runs.sweep("two", cells, seeds=[0, 1])
    frames = runs.frames()
    data = cell_evidence(frames, ablation_for_sweep("two"))
    said = " ".join(footnotes(frames, ablation_for_sweep("two"), data))
    assert "Best on the selection set: a, test accuracy 96.00" in said
    assert "would be b with 97.00 (+1.00)" in said
