"""A trial's process is killed: it is noticed with and without accounting."""

from datetime import datetime

from support.slurm_disturbed_sweep import AGAIN, KILLED, DisturbedSweep
from support.slurm_jobs import job_of, metrics_text


def test_a_task_that_is_killed_is_on_record_within_ten_seconds(disturbed: DisturbedSweep) -> None:
    failure = disturbed.record(KILLED).failure()
    assert failure is not None
    noticed = datetime.fromisoformat(failure["time"]) - disturbed.killed
    assert noticed.total_seconds() < 10
    assert (failure["kind"], failure["slurm"]) == ("lost", "FAILED")
    assert "no reason was recorded" in disturbed.out


def test_a_trial_whose_process_is_killed_is_tried_again_in_its_job(
    disturbed: DisturbedSweep,
) -> None:
    record = disturbed.record(AGAIN)
    assert metrics_text(record) == metrics_text(disturbed.undisturbed(AGAIN))
    assert record.status()["attempt"] == 2
    assert record.status()["job"] == job_of(record)
