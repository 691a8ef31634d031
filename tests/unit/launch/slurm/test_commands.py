"""Commands of Slurm: a missing one is a sentence, and the fields of scontrol are read."""

import pytest

from clip_hparam.launch.slurm.commands import SchedulerError, parse_fields, run_command


def test_missing_command_is_named() -> None:
    with pytest.raises(SchedulerError, match="there is no squeue-of-nobody on PATH"):
        run_command("squeue-of-nobody")


def test_fields_of_scontrol_may_hold_an_equals_sign_or_nothing() -> None:
    line = "JobId=7 Comment=a=b PreemptTime=None Reason= Requeue"
    expected = {"JobId": "7", "Comment": "a=b", "PreemptTime": "None", "Reason": "", "Requeue": ""}
    assert parse_fields(line) == expected
