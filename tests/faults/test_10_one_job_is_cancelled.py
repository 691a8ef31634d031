"""scancel of one task: that trial is cancelled and keeps what it saved, the others go on."""

from slurm.disturbed import CANCELLED, PEACE, Disturbed


def test_only_the_cancelled_trial_ends(disturbed: Disturbed) -> None:
    record = disturbed.record(CANCELLED)
    failure = record.failure()
    assert failure is not None
    assert (record.status()["state"], failure["kind"]) == ("cancelled", "cancelled")
    assert any((record.folder / "checkpoint").glob("step_*.pt"))
    assert disturbed.record(PEACE).is_done()
