"""The process of a trial on Slurm is killed: noticed with and without accounting."""

from datetime import datetime

from support.slurm_disturbed_sweep import AGAIN, KILLED, DisturbedSweep
from support.slurm_jobs import job_of, metrics_text


def test_killed_task_is_recorded_within_ten_seconds(disturbed: DisturbedSweep) -> None:
    failure = disturbed.record(KILLED).failure()
    assert failure is not None
    noticed = datetime.fromisoformat(failure["time"]) - disturbed.killed
    assert noticed.total_seconds() < 10
    assert (failure["kind"], failure["slurm"]) == ("lost", "FAILED")
    assert "ended FAILED" in failure["message"]
    assert failure["message"] in disturbed.out


def test_killed_trial_process_is_retried_in_its_job(
    disturbed: DisturbedSweep,
) -> None:
    record = disturbed.record(AGAIN)
    assert metrics_text(record) == metrics_text(disturbed.undisturbed(AGAIN))
    assert record.status()["attempt"] == 2
    assert record.status()["job"] == job_of(record)
