"""A node goes down: its job resumes on another node and ends in the same numbers."""

from support.slurm_disturbed_sweep import MOVED, DisturbedSweep
from support.slurm_jobs import job_of, metrics_text, submitted_arrays


def test_trial_of_a_lost_node_resumes_elsewhere(disturbed: DisturbedSweep) -> None:
    record = disturbed.record(MOVED)
    assert disturbed.code_of_moved == 0
    assert metrics_text(record) == metrics_text(disturbed.undisturbed(MOVED))
    assert record.failure() is None
    assert "Restarts=2" in disturbed.slurm("scontrol", "-o", "show", "job", job_of(record))
    assert len(submitted_arrays(disturbed.moved)) == 1
