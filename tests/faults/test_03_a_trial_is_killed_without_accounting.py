"""A trial's process is killed on a Slurm that has no accounting: it is noticed all the same."""

from slurm.disturbed import KILLED, Disturbed


def test_the_death_is_on_record_within_ten_seconds(disturbed: Disturbed) -> None:
    failure = disturbed.record(KILLED).failure()
    assert failure is not None
    assert disturbed.noticed < 10
    assert (failure["kind"], failure["slurm"]) == ("lost", "FAILED")
    assert "died without a word" in disturbed.out
