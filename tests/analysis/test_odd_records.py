"""Odd but legal records give the right numbers or a sentence: small losses, ties, one trial."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support.cli import clip_hparam
from support.trial_factory import Edit, Runs, numbers

from clip_hparam.analysis.evidence.searches.boundaries import boundaries
from clip_hparam.analysis.evidence.searches.summary import boundary_knobs
from clip_hparam.analysis.frames.importing.import_table import to_trial_table
from clip_hparam.analysis.frames.labels import decimals
from clip_hparam.records.manifests.lookup import find_trial_id

Call = Callable[..., tuple[int, str, str]]


def test_small_differences_of_a_loss_are_not_rounded_to_zero(runs: Runs, tmp_path: Path) -> None:
    cells = {"a": {"lr": 1e-3}, "b": {"lr": 1e-2}}
    for seed in range(2):
        for values, loss in zip(cells.values(), (0.412, 0.413 + seed / 1000), strict=True):
            metrics = {**numbers(90.0, ema=False), "test_loss.raw.selected": loss}
            runs.done(values, seed, 90.0, metrics=metrics, selected_weights="raw")
    runs.sweep("mine", cells, seeds=[0, 1])
    done = clip_hparam("compare", "a", "b", "--metric", "test_loss", cwd=tmp_path)
    assert "a: test_loss 0.4120, 2 of 2 seeds done" in done.out
    assert "difference +0.0015 over 2 seeds in common" in done.out
    accuracies = clip_hparam("compare", "a", "b", cwd=tmp_path)
    assert "a: test_acc1 90.00, 2 of 2 seeds done" in accuracies.out


@pytest.mark.parametrize(
    ("largest", "digits"),
    [(81.5, 2), (100.0, 2), (5000.0, 2), (5.0, 3), (0.81, 4), (1e-5, 8), (0.0, 3), (1e-30, 8)],
)
def test_decimals_show_four_digits(largest: float, digits: int) -> None:
    assert decimals(largest) == digits


def test_a_tie_of_all_trials_has_no_best_value_at_a_boundary() -> None:
    rows = pd.DataFrame({"lr": [0.1, 0.2, 0.3], "top1": [80.0, 80.0, 80.0]})
    table = to_trial_table(rows, ["lr"], [], "top1")
    assert (boundary_knobs(table), boundaries(table, table, set())) == ([], [])


def test_a_search_of_one_trial_has_no_axes_to_draw(runs: Runs, edit: Edit, call: Call) -> None:
    runs.done({"lr": 1e-3}, 0, 90.0)
    runs.sweep("mine", {"a": {"lr": 1e-3}, "b": {"lr": 1e-2}}, seeds=[0])
    (path,) = (runs.folder / ".sweeps").glob("*.json")
    edit(path, lambda tree: tree.update(kind="search"))
    code, _, err = call("figures", "axes")
    assert (code, err.strip()) == (
        2,
        "python -m analysis: no knob varies among the trials: nothing to plot",
    )


def test_a_comparison_without_a_finished_trial_shows_no_nan(runs: Runs, tmp_path: Path) -> None:
    runs.sweep("mine", {"a": {"lr": 1e-3}, "b": {"lr": 1e-2}}, seeds=[0, 1])
    done = clip_hparam("compare", "a", "b", cwd=tmp_path)
    assert done.code == 0
    assert "a: test_acc1 unknown, 0 of 2 seeds done" in done.out
    assert "no difference, no seed in common" in done.out
    assert "nan" not in done.out


def test_a_whole_id_wins_over_ids_that_start_with_it() -> None:
    assert find_trial_id(["row 10", "row 1"], "row 1") == "row 1"
    assert find_trial_id(["row 10", "x"], "row 1") == "row 10"
