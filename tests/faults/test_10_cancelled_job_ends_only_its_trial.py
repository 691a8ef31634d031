"""scancel of one task: that trial is cancelled and keeps what it saved, the others go on."""

from support.slurm_disturbed_sweep import CANCELLED, UNTOUCHED, DisturbedSweep
from support.slurm_jobs import saved


def test_only_the_cancelled_trial_ends(disturbed: DisturbedSweep) -> None:
    record = disturbed.record(CANCELLED)
    failure = record.failure()
    assert failure is not None
    assert (record.status()["state"], failure["kind"]) == ("cancelled", "cancelled")
    assert saved(record)
    assert disturbed.record(UNTOUCHED).is_done()
