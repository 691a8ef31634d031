"""A trial's process is killed: it is noticed with and without accounting."""

from datetime import datetime

from support.slurm_disturbed_sweep import AGAIN, KILLED, Disturbed
from support.slurm_jobs import job_of, numbers


def test_a_task_that_is_killed_is_on_record_within_ten_seconds(disturbed: Disturbed) -> None:
    failure = disturbed.record(KILLED).failure()
    assert failure is not None
    noticed = datetime.fromisoformat(failure["time"]) - disturbed.killed
    assert noticed.total_seconds() < 10
    assert (failure["kind"], failure["slurm"]) == ("lost", "FAILED")
    assert "no reason was recorded" in disturbed.out


def test_a_trial_whose_process_is_killed_is_tried_again_in_its_job(disturbed: Disturbed) -> None:
    record = disturbed.record(AGAIN)
    assert numbers(record) == numbers(disturbed.in_peace(AGAIN))
    assert record.status()["attempt"] == 2
    assert record.status()["job"] == job_of(record)
