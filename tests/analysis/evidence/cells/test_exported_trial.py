"""The trial to export: the best seed of a cell on the selection set, or the trial that is named."""

from pathlib import Path

import pandas as pd
import pytest
from support.trial_factory import Ladder, Runs, numbers

from clip_hparam.analysis.evidence.cells.exported_trial import best_seed, choose_trial


def runs_with_cell(folder: Path, selection: tuple[float, ...]) -> dict[int, str]:
    """Write a cell whose best seed on the selection set is another than on the test set."""
    runs, ids = Runs(folder), {}
    for seed, accuracy in enumerate(selection):
        metrics = {**numbers(90.0 - seed, False), "selection_acc1.raw.selected": accuracy}
        ids[seed] = runs.done({"lr": 1e-3}, seed, 90.0 - seed, metrics=metrics).trial_id
    runs.sweep("lr", {"lr=0.001": {"lr": 1e-3}}, [*range(len(selection))])
    return ids


def test_cell_is_its_best_seed_on_the_selection_set(tmp_path: Path) -> None:
    ids = runs_with_cell(tmp_path, (95.0, 97.0, 96.0))
    for name in ("lr/lr=0.001", "lr=0.001", "lr"):
        chosen = choose_trial(tmp_path, name)
        assert chosen.trial_id == ids[1]
        assert chosen.evidence[0].startswith("Cell lr=0.001 of sweep lr (")
        assert "test accuracy 89.00 % over 3 seeds (0, 1, 2), 95 % t" in chosen.evidence[0]
        assert "Exported is seed 1" in chosen.evidence[-1]
        assert "the best of 3 seeds on the selection set (97.00 %)." in chosen.evidence[-1]


def test_trial_is_itself_with_the_evidence_of_its_cell(tmp_path: Path) -> None:
    ids = runs_with_cell(tmp_path, (95.0, 97.0))
    chosen = choose_trial(tmp_path, ids[0][:8])
    assert chosen.trial_id == ids[0]
    assert len(chosen.evidence) == 1


def test_trial_of_no_sweep_has_no_evidence(tmp_path: Path) -> None:
    record = Runs(tmp_path).done({"lr": 2e-3}, 0, 90.0)
    assert choose_trial(tmp_path, record.trial_id) == (record.trial_id, ())


def test_unknown_name_is_refused(ladder: Ladder) -> None:
    with pytest.raises(ValueError, match="no cell or trial is called nothing"):
        choose_trial(ladder.runs.folder, "nothing")


def test_ties_go_to_the_lower_selection_loss() -> None:
    scores = ((90.0, 0.4), (90.0, 0.3), (89.0, 0.1))
    trials = pd.DataFrame(
        [
            {
                "selected_weights": "raw",
                "selection_acc1.raw.selected": accuracy,
                "selection_loss.raw.selected": loss,
                "selection_acc1.ema.selected": None,
                "selection_loss.ema.selected": None,
            }
            for accuracy, loss in scores
        ],
        index=[5, 6, 7],
    )
    assert best_seed(trials) == 6
