"""Choice of the best cell: by the selection set, ties to the earlier, finished cells only."""

import math

import numpy as np
import pandas as pd
import pytest
from support.trial_factory import Edit, Runs

from clip_hparam.analysis.evidence.ablations import ablation_for_sweep
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.replicates import sweep_replicates
from clip_hparam.analysis.evidence.selection import (
    best_cell,
    select_best_cell,
    selection_accuracy,
    selection_effect,
)
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.tables.footnotes import footnotes

CELLS = {"a": {"lr": 1e-4}, "b": {"lr": 1e-3}, "c": {"lr": 1e-2}}


def write_sweep(runs: Runs, selection: dict[str, list[float | None]]) -> Frames:
    """Write a sweep of the cells a, b, c; selection accuracy by cell and seed, None: missing."""
    for name, accuracies in selection.items():
        for seed, accuracy in enumerate(accuracies):
            metrics = {"test_acc1.raw.selected": 90.0, "selection_acc1.raw.selected": accuracy}
            runs.done(CELLS[name], seed, 90.0, metrics=metrics)
    runs.sweep("three", CELLS, seeds=[0, 1])
    return runs.frames()


def chosen_label(frames: Frames) -> str | None:
    best = best_cell(sweep_replicates(frames, frames.sweeps[0]))
    return best.cell.label if best else None


def test_the_cell_with_the_highest_mean_selection_accuracy_is_best(runs: Runs) -> None:
    frames = write_sweep(runs, {"a": [80.0, 90.0], "b": [87.0, 87.0], "c": [86.0, 86.0]})
    assert chosen_label(frames) == "b"
    selected = select_best_cell(frames, frames.sweeps[0])
    assert (selected.cell.label, selected.n_candidates) == ("b", 3)
    assert list(selected.trials["trial_id"]) == list(selected.cell.trials.values())
    assert selection_accuracy(selected.trials) == 87.0


def test_ties_between_cells_go_to_the_earlier_in_the_design(runs: Runs) -> None:
    frames = write_sweep(runs, {"a": [80.0, 80.0], "b": [85.0, 87.0], "c": [86.0, 86.0]})
    assert chosen_label(frames) == "b"


@pytest.mark.parametrize("accuracies", [[99.0], [99.0, None]], ids=["no record", "no accuracy"])
def test_a_cell_with_a_missing_number_is_no_candidate(
    runs: Runs, accuracies: list[float | None]
) -> None:
    frames = write_sweep(runs, {"a": [80.0, 80.0], "b": accuracies, "c": [86.0, 86.0]})
    assert chosen_label(frames) == "c"


def test_a_cell_without_trials_is_no_candidate(runs: Runs, edit: Edit) -> None:
    write_sweep(runs, {"b": [80.0, 80.0]})
    (path,) = (runs.folder / ".sweeps").glob("*.json")
    edit(path, lambda tree: tree["cells"][0].update(trials={}))
    frames = runs.frames()
    empty = sweep_replicates(frames, frames.sweeps[0])[0]
    assert math.isnan(selection_accuracy(empty.trials))
    assert empty.complete
    assert chosen_label(frames) == "b"


def test_a_sweep_without_a_finished_cell_has_no_best(runs: Runs) -> None:
    frames = write_sweep(runs, {"a": [80.0]})
    assert chosen_label(frames) is None
    with pytest.raises(ValueError, match="no cell of three is finished"):
        select_best_cell(frames, frames.sweeps[0])


def test_selecting_on_the_test_set_is_biased_and_on_the_selection_set_is_not() -> None:
    """20 recipes of the same true accuracy, 97 %."""
    rng = np.random.default_rng(0)
    names = [f"recipe {number}" for number in range(20)]
    effects = [
        selection_effect(*(pd.Series(rng.normal(97, 0.3, 20), index=names) for _ in range(2)))
        for _ in range(1_000)
    ]
    assert np.mean([effect.reported for effect in effects]) == pytest.approx(97, abs=0.04)
    assert np.mean([effect.claimed for effect in effects]) > 97.4
    assert min(effect.optimism for effect in effects) >= 0


def test_selection_effect_aligns_names_and_gives_ties_to_the_earlier() -> None:
    test = pd.Series({"a": 70.0, "b": 60.0, "c": 75.0, "d": 75.0})
    selection = pd.Series({"b": 90.0, "a": 90.0, "d": 80.0, "c": 80.0})
    assert selection_effect(selection, test) == ("a", 70.0, "c", 75.0)
    higher = pd.Series({"b": 95.0, "a": 90.0, "d": 80.0, "c": 80.0})
    assert selection_effect(higher, test)[:2] == ("b", 60.0)


def test_a_footnote_states_the_bias_of_selecting_on_the_test_set(runs: Runs) -> None:
    cells = {"a": {"lr": 1e-4}, "b": {"lr": 1e-3}}
    for (acc1, held_out), values in zip(((96.0, 99.0), (97.0, 98.0)), cells.values(), strict=True):
        metrics = {"test_acc1.raw.selected": acc1, "selection_acc1.raw.selected": held_out}
        for seed in (0, 1):
            runs.done(values, seed, acc1, metrics=metrics)
    runs.sweep("two", cells, seeds=[0, 1])
    frames = runs.frames()
    data = cell_evidence(frames, ablation_for_sweep("two"))
    notes = " ".join(footnotes(frames, ablation_for_sweep("two"), data))
    assert "Best on the selection set: a, test accuracy 96.00" in notes
    assert "Best on the test set: b, test accuracy 97.00; selecting on" in notes
    assert "would report 1.00 points more." in notes


def test_a_footnote_says_that_the_best_cell_has_an_equal(runs: Runs) -> None:
    few, many = 1 / 12 * 100, 25.0  # the order of a sum changes its last bit
    cells = {"a": {"lr": 1e-4}, "b": {"lr": 1e-3}, "c": {"lr": 1e-2}}
    drawn = {"a": (many, few, few), "b": (few, few, many), "c": (few, few, few)}
    for name, accuracies in drawn.items():
        for seed, accuracy in enumerate(accuracies):
            metrics = {"test_acc1.raw.selected": 90.0, "selection_acc1.raw.selected": accuracy}
            runs.done(cells[name], seed, 90.0, metrics=metrics)
    runs.sweep("three", cells, seeds=[0, 1, 2])
    frames = runs.frames()
    data = cell_evidence(frames, ablation_for_sweep("three"))
    notes = " ".join(footnotes(frames, ablation_for_sweep("three"), data))
    assert "Best on the selection set: a (the first of 2 equal cells), test accuracy" in notes
