"""scontrol requeue in mid-run: the trial goes on in the same job and ends in the same numbers."""

from support.slurm_disturbed_sweep import REQUEUED, Disturbed
from support.slurm_jobs import numbers, sent


def test_a_requeued_trial_ends_as_if_nothing_had_happened(disturbed: Disturbed) -> None:
    record = disturbed.record(REQUEUED)
    assert numbers(record) == numbers(disturbed.in_peace(REQUEUED))
    assert record.status()["attempt"] == 2
    assert len(sent(disturbed.folder)) == 1
