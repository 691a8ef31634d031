"""The state of a trial by its record, and by the process that wrote its status."""

import os
from pathlib import Path

import pytest

from clip_hparam.records.record import Record
from clip_hparam.records.state import LIVE, TrialState, trial_state, unsealed_state


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path, "abc123")


def test_states_on_disk_are_their_lower_case_names(record: Record) -> None:
    for state in TrialState:
        record.write_status(state)
        assert record.status()["state"] == state.name.lower()


def test_trial_with_a_result_is_done_whatever_its_status(record: Record) -> None:
    record.write_result({"metrics": {}})
    record.write_status(TrialState.RUNNING)
    assert trial_state(record) is TrialState.DONE


@pytest.mark.parametrize("absent", [TrialState.PLANNED, TrialState.LOST])
def test_trial_without_a_status_has_the_given_state(record: Record, absent: TrialState) -> None:
    assert trial_state(record, absent) is absent


@pytest.mark.parametrize("state", LIVE)
def test_live_trial_is_lost_once_its_process_is_gone(record: Record, state: TrialState) -> None:
    record.write_status(state, host=os.uname().nodename, pid=os.getpid())
    assert trial_state(record) is state
    assert trial_state(record, alive=False) is TrialState.LOST


@pytest.mark.parametrize("state", sorted(set(TrialState) - set(LIVE)))
def test_other_states_do_not_depend_on_the_process(state: TrialState) -> None:
    assert unsealed_state({"state": state.value}, alive=False) is state


def test_unknown_state_of_a_newer_version_counts_as_absent() -> None:
    assert unsealed_state({"state": "paused"}, TrialState.LOST, alive=True) is TrialState.LOST
