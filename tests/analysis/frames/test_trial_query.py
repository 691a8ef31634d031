"""Conditions and orders of `clip-hparam top`."""

import pandas as pd
import pytest

from clip_hparam.analysis.frames.trial_query import (
    best_first,
    column_values,
    matches,
    parse_condition,
)

SECOND = {"raw": 91.0, "ema": 99.0}
TRIALS = pd.DataFrame({
    "trial_id": ["a", "b", "c", "d"],
    "label": ["lr=1e-3", "lr=1e-2", "lr=1e-2,seed=1", "freeze=none"],
    "status": ["done", "done", "failed", "done"],
    "lr": [1e-3, 1e-2, 1e-2, 1e-3],
    "freeze": ["patch", "patch", "patch", "none"],
    "numerics.compile": [True, False, None, True],
    "cost.seconds": [9.0, 3.0, None, 5.0],
    "selected_weights": ["raw", "ema", None, "raw"],
    **{
        f"{split}_{measure}.{weights}.selected": [90.0, SECOND[weights], None, 95.0]
        for split in ("test", "selection")
        for measure in ("acc1", "acc5", "loss")
        for weights in ("raw", "ema")
    },
})  # fmt: skip


def chosen(condition: str) -> str:
    return "".join(TRIALS.loc[matches(TRIALS, parse_condition(condition)), "trial_id"])


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("lr>1e-3", "bc"),
        ("lr >= 0.001", "abcd"),
        ("lr=.01", "bc"),
        ("lr!=.01", "ad"),
        ("state=done", "abd"),
        ("status==failed", "c"),
        ("name=lr=1e-3", "a"),
        ("freeze!=patch", "d"),
        ("test_acc1>=95", "bd"),
        ("test_acc1.raw.selected<91", "a"),
        ("seconds<6", "bd"),
        ("cost.seconds!=3", "acd"),
        ("numerics.compile=true", "ad"),
    ],
)
def test_a_condition_compares_a_column_in_its_type(condition: str, names: str) -> None:
    assert chosen(condition) == names


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("lr", "'lr' is not a comparison"),
        ("lr>", "'lr>' is not a comparison"),
        (">3", "'>3' is not a comparison"),
        ("lr>fast", "lr holds numbers, and fast is not one: type a number, as lr>1e-3"),
        ("lrr>1", "no column lrr: did you mean lr"),
        ("qqqq>1", "no column qqqq: take a knob, test_acc1"),
        ("freeze>patch", "freeze holds text, which is compared with = or != only"),
        ("state=dome", "a state is one of planned, queued"),
        ("numerics.compile>true", "compared with =true or =false"),
        ("numerics.compile=1", "compared with =true or =false"),
        ("lr=__import__('os')", "lr holds numbers"),
    ],
)
def test_a_mistake_names_what_is_legal(condition: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        chosen(condition)


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ("test_acc1", "bdac"),
        ("test_loss", "adbc"),
        ("seconds", "bdac"),
        ("lr", "bcad"),
        ("freeze", "dabc"),
    ],
)
def test_the_best_is_first_and_missing_values_are_last(column: str, names: str) -> None:
    assert "".join(best_first(TRIALS, column)["trial_id"]) == names


def test_reported_metrics_are_of_the_weights_that_were_selected() -> None:
    assert list(column_values(TRIALS, "test_acc1").dropna()) == [90.0, 99.0, 95.0]


def test_the_worst_is_first_in_reverse() -> None:
    assert "".join(best_first(TRIALS, "test_acc1", reverse=True)["trial_id"]) == "adbc"
