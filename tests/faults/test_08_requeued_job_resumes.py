"""scontrol requeue during a trial: it resumes in the same job and ends in the same numbers."""

from support.slurm_disturbed_sweep import REQUEUED, DisturbedSweep
from support.slurm_jobs import metrics_text, submitted_arrays


def test_requeued_trial_equals_undisturbed(disturbed: DisturbedSweep) -> None:
    record = disturbed.record(REQUEUED)
    assert metrics_text(record) == metrics_text(disturbed.undisturbed(REQUEUED))
    assert record.status()["attempt"] == 2
    assert len(submitted_arrays(disturbed.folder)) == 1
