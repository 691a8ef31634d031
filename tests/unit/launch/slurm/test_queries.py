"""Output of Slurm's commands."""

import pytest

from clip_hparam.launch.slurm.queries import SlurmJobState, _parse_sacct_row

PENDING, RUNNING, FAILED = (
    SlurmJobState("PENDING", "Resources"),
    SlurmJobState("RUNNING"),
    SlurmJobState("FAILED"),
)


@pytest.mark.parametrize(
    ("row", "jobs"),
    [
        ("7_3|FAILED|1:0", ["7_3"]),
        ("7_[1-3,5%2]|PENDING|0:0", ["7_1", "7_2", "7_3", "7_5"]),
        ("7_[4]|CANCELLED by 0|0:0", ["7_4"]),
        ("7|RUNNING|0:0", []),  # not an array
    ],
)
def test_row_of_sacct_may_list_several_jobs(row: str, jobs: list[str]) -> None:
    read = dict(_parse_sacct_row(row))
    assert list(read) == jobs
    assert all(" " not in job.state for job in read.values())
