"""Cells of an imported table: labels that differ, seeds, means."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clip_hparam.analysis.frames.importing.cells import (
    cell_labels,
    cell_means,
    cell_numbers,
    imported_manifest,
    safe_name,
)
from clip_hparam.analysis.frames.importing.import_table import to_trial_table
from clip_hparam.analysis.frames.trial_table import TrialTable

LEVELS = st.sampled_from(["None", "null", "NA", "", "(missing)", "a", "a,lr=1", "1", "1.0", "007"])


def table(rows: list[dict[str, object]], seed: str | None = "seed") -> TrialTable:
    knobs = [name for name in rows[0] if name not in ("seed", "acc")]
    return to_trial_table(pd.DataFrame(rows, dtype=object), knobs, [], "acc", seed=seed)


@settings(deadline=None)
@given(st.lists(st.tuples(LEVELS, LEVELS), min_size=1, max_size=8))
def test_labels_of_different_cells_differ(levels: list[tuple[str, str]]) -> None:
    rows = [{"aug": aug, "lr": lr, "acc": 1.0} for aug, lr in [*levels, ("x", "y")]]
    imported = table(rows, seed=None)
    labels = cell_labels(imported)
    assert len(labels) == len(set(labels)) == cell_numbers(imported).nunique()


def test_close_levels_are_cells_of_their_own() -> None:
    rows = [{"lr": lr, "acc": 1.0} for lr in ("0.00123456", "0.00123457", "1e-5", "64")]
    labels = cell_labels(table(rows, seed=None))
    assert labels == ["lr=0.00123456", "lr=0.00123457", "lr=1e-05", "lr=64"]


def test_seeds_pair_cells_and_a_missing_value_leaves_no_mean() -> None:
    rows = [
        {"lr": lr, "wd": None, "seed": seed, "acc": acc}
        for lr, seed, acc in [
            *(("0.1", "0", 80), ("0.1", "1", 82)),
            *(("0.2", "1", 83), ("0.2", "0", None)),
        ]
    ]
    imported = table(rows)
    cells = imported_manifest(imported, "mine").cells
    assert [(cell.label, dict(cell.trials)) for cell in cells] == [
        ("lr=0.1", {0: "row 1", 1: "row 2"}),
        ("lr=0.2", {0: "row 4", 1: "row 3"}),
    ]
    means = cell_means(imported)
    assert means.rows["acc"].fillna(-1).to_dict() == {"lr=0.1": 81.0, "lr=0.2": -1}
    assert (means.averaged, means.seed) == (4, "")


def test_without_seeds_no_two_rows_are_paired() -> None:
    rows = [{"lr": lr, "acc": 1.0} for lr in ("0.1", "0.2", "0.1")]
    cells = imported_manifest(table(rows, seed=None), "mine").cells
    assert [dict(cell.trials) for cell in cells] == [{0: "row 1", 2: "row 3"}, {1: "row 2"}]


def test_a_seed_that_is_in_a_cell_twice_is_refused_unless_the_rows_are_equal() -> None:
    equal = {"lr": "0.1", "seed": "0", "acc": 80}
    assert table([equal, equal]).duplicates == 1
    assert cell_means(table([equal, equal])).averaged == 1
    with pytest.raises(ValueError, match="row 1 and row 2 have equal knobs and seed 0: name"):
        table([equal, {**equal, "acc": 81}])


def test_names_of_folders_become_names_of_files() -> None:
    assert [safe_name(name, {"lr"}) for name in ("my runs", "lr", ".x", "")] == [
        *("my_runs", "lr-imported", "imported.x", "imported")
    ]
