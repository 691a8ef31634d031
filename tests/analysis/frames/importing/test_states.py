"""States of other tools: which rows are complete, and which column says so."""

import pandas as pd
import pytest

from clip_hparam.analysis.frames.importing.states import complete_rows, find_state_column


def states(*words: str | None) -> pd.Series:
    return pd.Series(words, dtype=object, name="state")


@pytest.mark.parametrize(
    ("complete", "others"),
    [
        ("COMPLETE", ["PRUNED", "FAIL", "RUNNING", "WAITING"]),  # Optuna
        ("TrialState.COMPLETE", ["TrialState.PRUNED"]),
        ("finished", ["crashed", "running", "failed", "killed", "preempted"]),  # W&B
        ("TERMINATED", ["ERROR", "PENDING", "PAUSED"]),  # Ray
        ("done", ["diverged", "lost", "timeout", "held"]),  # ours
        ("SUCCESS", ["FAILURE", "UNKNOWN", "some other word"]),  # TensorBoard
    ],
)
def test_rows_of_other_states_are_counted_by_their_word(complete: str, others: list[str]) -> None:
    mask, counts = complete_rows(states(complete, *others, complete, None))
    assert mask.to_list() == [True, *(False for _ in others), True, False]
    assert counts == {**dict.fromkeys(others, 1), "without a state": 1}


def test_no_complete_row_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no row is complete by column state \(2 running\)"):
        complete_rows(states("running", "running"))


def test_a_column_of_states_is_found_by_its_name_and_words() -> None:
    rows = pd.DataFrame({"State": ["finished"], "status": ["CA"]})
    assert find_state_column(rows, ()) == "State"
    assert find_state_column(rows, {"State"}) == ""
    assert find_state_column(rows[["status"]], ()) == ""
