"""scancel of one task: its trial is cancelled and keeps its checkpoint; the others continue."""

from support.slurm_disturbed_sweep import CANCELLED, UNTOUCHED, DisturbedSweep
from support.slurm_jobs import saved


def test_cancelled_task_ends_only_its_trial(disturbed: DisturbedSweep) -> None:
    record = disturbed.record(CANCELLED)
    failure = record.failure()
    assert failure is not None
    assert (record.status()["state"], failure["kind"]) == ("cancelled", "cancelled")
    assert saved(record)
    assert disturbed.record(UNTOUCHED).is_done()
