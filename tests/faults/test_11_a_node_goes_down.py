"""Its node goes down, then a preempting job takes its place: no failure, the same numbers."""

from slurm.cluster import Cluster
from slurm.disturbed import MOVED, Disturbed
from slurm.jobs import job_of, numbers, sent


def test_a_trial_is_moved_twice_and_ends_in_the_same_numbers(
    disturbed: Disturbed, plain_cluster: Cluster
) -> None:
    record = disturbed.record(MOVED)
    assert disturbed.code_of_moved == 0
    assert numbers(record) == numbers(disturbed.in_peace(MOVED))
    assert record.status()["attempt"] == 3
    assert "Restarts=2" in plain_cluster("scontrol", "-o", "show", "job", job_of(record))
    assert len(sent(disturbed.moved)) == 1
