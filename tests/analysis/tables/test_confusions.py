"""Confusions are those of the predictions of the best cell."""

import numpy as np
import pandas as pd
from support.predictions import write_predictions
from support.trial_factory import LABELS, Runs

from clip_hparam.analysis.evidence.ablations import ABLATIONS
from clip_hparam.analysis.report.error_pictures import error_pictures
from clip_hparam.analysis.tables.confusions import confusions_table


def add_trial(runs: Runs, seed: int) -> None:
    """Write a trial that takes each 3 for an 8, and one 5 for a 6."""
    first = int(np.flatnonzero(LABELS == 5)[0])
    threes = dict.fromkeys(np.flatnonzero(LABELS == 3).tolist(), 8)
    write_predictions(runs.done({}, seed, 90.0), {**threes, first: 6}, [first])


def test_confusions_are_sorted_by_their_share_of_the_class(runs: Runs) -> None:
    for seed in (0, 1):
        add_trial(runs, seed)
    runs.sweep("lr", {"a": {}}, seeds=[0, 1])
    table = confusions_table(runs.frames(), ABLATIONS["lr"])
    assert table is not None
    assert table.shown["predicted as"].tolist() == ["8", "6"]
    threes = 2 * int((LABELS == 3).sum())
    assert table.shown["images"].tolist() == [str(threes), "2"]
    assert table.shown.iloc[0, 3] == "100.0"
    assert table.data["images"].sum() == 2 * len(LABELS)
    assert isinstance(table.data, pd.DataFrame)
    assert len(table.data) == 100


def test_trials_without_predictions_have_no_table(runs: Runs) -> None:
    add_trial(runs, 0)
    runs.done({}, 1, 90.0)
    runs.sweep("lr", {"a": {}}, seeds=[0, 1])
    assert confusions_table(runs.frames(), ABLATIONS["lr"]) is None


def test_pictures_of_errors_name_both_classes(runs: Runs) -> None:
    add_trial(runs, 0)
    runs.sweep("lr", {"a": {}}, seeds=[0])
    title, (picture,) = error_pictures(runs.frames(), ABLATIONS["lr"])
    assert title == "The most confident errors of a, seed 0"
    assert (picture.label, picture.predicted) == ("5", "6 (75.0\N{NO-BREAK SPACE}%)")
    assert picture.text.endswith("of the test set: 5, predicted as 6 (75.0\N{NO-BREAK SPACE}%)")
    assert picture.source == "data:image/jpeg;base64,SlBFRw=="


def test_records_without_pictures_show_none(runs: Runs) -> None:
    runs.done({}, 0, 90.0)
    runs.sweep("lr", {"a": {}}, seeds=[0])
    assert error_pictures(runs.frames(), ABLATIONS["lr"]).pictures == []
