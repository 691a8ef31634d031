"""Its node goes down: no failure, the same job goes on elsewhere and ends in the same numbers."""

from support.slurm_disturbed_sweep import MOVED, DisturbedSweep
from support.slurm_jobs import job_of, metrics_text, submitted_arrays


def test_the_trial_is_moved_and_not_called_failed(disturbed: DisturbedSweep) -> None:
    record = disturbed.record(MOVED)
    assert disturbed.code_of_moved == 0
    assert metrics_text(record) == metrics_text(disturbed.undisturbed(MOVED))
    assert record.failure() is None
    assert "Restarts=2" in disturbed.slurm("scontrol", "-o", "show", "job", job_of(record))
    assert len(submitted_arrays(disturbed.moved)) == 1
