"""Its node goes down: no failure, the same job goes on elsewhere and ends in the same numbers."""

from support.slurm_disturbed_sweep import MOVED, Disturbed
from support.slurm_jobs import job_of, numbers, sent


def test_the_trial_is_moved_and_not_called_failed(disturbed: Disturbed) -> None:
    record = disturbed.record(MOVED)
    assert disturbed.code_of_moved == 0
    assert numbers(record) == numbers(disturbed.in_peace(MOVED))
    assert record.failure() is None
    assert "Restarts=2" in disturbed.slurm("scontrol", "-o", "show", "job", job_of(record))
    assert len(sent(disturbed.moved)) == 1
