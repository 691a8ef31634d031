"""The table of robustness shows three accuracies side by side, each of them by its own columns."""

from typing import Any

import pytest
from support.trial_factory import Runs, numbers

from clip_hparam.analysis.evidence.ablations import ABLATIONS
from clip_hparam.analysis.tables.robustness import robustness_table
from clip_hparam.records.derived import DerivedResult, Parent, write_derived


def add_trial(runs: Runs, values: dict[str, Any], seed: int, shift: float) -> str:
    """Write a trial with these sets and return its id."""
    metrics = {
        **numbers(90.0, False),
        "test_ece.raw.selected": 0.05 + seed / 100,
        "eval.sketch.acc1.raw.selected": shift + seed,
        "eval.art.acc1.raw.selected": shift - 10,
        "eval.glyphs.acc1.raw.selected": 30.0 + seed,
        "eval.glyphs.acc1.zero_shot": 70.0,
    }
    facts = {name: {"fingerprint": "f", "zero_shot": name == "glyphs"} for name in SETS}
    return runs.done(values, seed, 90.0, metrics=metrics, eval_sets=facts).trial_id


SETS = ("sketch", "art", "glyphs")
CELLS = {"low": {"lr": 1e-4}, "high": {"lr": 1e-3}}


def test_means_are_over_sets_and_seeds(runs: Runs) -> None:
    for shift, values in zip((50.0, 60.0), CELLS.values(), strict=True):
        for seed in (0, 1):
            add_trial(runs, values, seed, shift)
    runs.sweep("lr", CELLS, seeds=[0, 1])
    table = robustness_table(runs.frames(), ABLATIONS["lr"])
    assert table is not None
    data = table.data.set_index("cell")
    assert data.loc["low", "outside"] == pytest.approx((50 + 40 + 51 + 40) / 4)
    assert data.loc["high", "known_after"] == pytest.approx(30.5)
    assert data.loc["high", "known_before"] == pytest.approx(70)
    assert data.loc["high", "eval.art.acc1"] == pytest.approx(50)
    assert list(table.shown)[1:] == [
        "seeds",
        "in distribution, %",
        "out of distribution, %",
        "zero-shot before, %",
        "zero-shot after, %",
        "ECE",
    ]
    assert "the mean over art, sketch" in table.notes[0] or "sketch, art" in table.notes[0]
    assert "zero-shot classifier on glyphs" in table.notes[1]


def soup(trials: list[str], known: float, last: bool = False) -> DerivedResult:
    when = "last" if last else "selected"
    return DerivedResult(
        kind="soup",
        parents=tuple(Parent(f"sha of {trial}", trial) for trial in trials),
        parameters={"rule": "uniform", "of": len(trials)},
        metrics={
            f"test_acc1.raw.{when}": 92.0,
            f"test_ece.raw.{when}": 0.02,
            f"eval.sketch.acc1.raw.{when}": 60.0,
            f"eval.glyphs.acc1.raw.{when}": known,
            "eval.glyphs.acc1.zero_shot": 70.0,
        },
        selected_weights="raw",
        data_fingerprint="cd" * 32,
        facts={
            "when": when,
            "eval_sets": {"sketch": {"zero_shot": False}, "glyphs": {"zero_shot": True}},
        },
    )


@pytest.mark.parametrize("last", [False, True])
def test_results_of_stored_weights_of_the_sweep_are_rows(runs: Runs, last: bool) -> None:
    trials = {
        seed: [add_trial(runs, values, seed, 50.0) for values in CELLS.values()] for seed in (0, 1)
    }
    other = add_trial(runs, {"lr": 1e-2}, 0, 50.0)
    runs.sweep("lr", CELLS, seeds=[0, 1])
    for seed, members in trials.items():
        write_derived(runs.folder, soup(members, 40.0 + 2 * seed, last))
    write_derived(runs.folder, soup([*trials[0], other], 99.0))
    table = robustness_table(runs.frames(), ABLATIONS["lr"])
    assert table is not None
    assert table.shown["cell"].tolist() == ["low", "high", "high, low: soup rule=uniform"]
    row = table.data.iloc[-1]
    assert (row["n"], row["test"], row["outside"], row["known_before"]) == (2, 92.0, 60.0, 70.0)
    assert row["known_after"] == pytest.approx(41.0)
    assert table.shown.iloc[-1]["zero-shot after, %"].startswith("41.00 ± ")
    assert "results of stored weights" in table.notes[-1]


def test_a_trial_without_the_sets_leaves_its_cell_empty(runs: Runs) -> None:
    add_trial(runs, CELLS["low"], 0, 50.0)
    runs.done(CELLS["high"], 0, 91.0)
    runs.sweep("lr", CELLS, seeds=[0])
    table = robustness_table(runs.frames(), ABLATIONS["lr"])
    assert table is not None
    assert table.data["outside"].isna().tolist() == [False, True]
    assert table.data["test"].notna().all()


def test_a_sweep_without_such_sets_has_no_table(runs: Runs) -> None:
    runs.done(CELLS["low"], 0, 91.0)
    runs.sweep("lr", {"low": CELLS["low"]}, seeds=[0])
    assert robustness_table(runs.frames(), ABLATIONS["lr"]) is None
