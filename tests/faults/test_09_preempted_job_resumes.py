"""A job of a higher partition takes its place: the trial saves its state and goes on later."""

from support.slurm_disturbed_sweep import MOVED, Disturbed
from support.slurm_jobs import books, job_of, numbers


def test_a_preempted_trial_ends_as_if_nothing_had_happened(
    disturbed: Disturbed, accounting: bool
) -> None:
    record = disturbed.record(MOVED)
    assert numbers(record) == numbers(disturbed.in_peace(MOVED))
    assert record.status()["attempt"] == 3  # its node went down before
    assert (record.folder / "log.txt").read_text().count("going on after epoch") == 2
    if accounting:
        rows = books(disturbed.slurm, job_of(record), "--duplicates")
        node_fail, preempted, completed = (row.partition("|")[0] for row in rows)
        assert (node_fail, completed) == ("NODE_FAIL", "COMPLETED")
        assert preempted in ("PREEMPTED", "REQUEUED")  # by Slurm, or by the trial before it
