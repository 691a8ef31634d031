"""What is decided about a trial on Slurm, without one: the folder is the truth, Slurm says if it
lives. What needs a Slurm is in tests/slurm and tests/faults."""

from pathlib import Path

import pytest

from clip_hparam.config.launcher_options import (
    LauncherOptions,
    signal_delay_seconds,
    validate_options,
)
from clip_hparam.launch.base import JobHandle
from clip_hparam.launch.slurm.queries import GONE, SlurmJobState, _parse_sacct_row
from clip_hparam.launch.slurm.reconcile import reconciled_state, record_end
from clip_hparam.records.record import Record

HANDLE = JobHandle("trial", "submitit_slurm", "7_0")
SUBMITTED = "2026-01-02T00:00:00Z"
PENDING, RUNNING, FAILED = (
    SlurmJobState("PENDING", "Resources"),
    SlurmJobState("RUNNING"),
    SlurmJobState("FAILED"),
)
HELD = SlurmJobState("PENDING", "JobHeldAdmin")


def record(folder: Path, state: str | None, **facts: str) -> Record:
    one = Record(folder, "trial")
    if state == "done":
        one.write_result({"metrics": {}})
    elif state is not None:
        one.write_status(state, **{"job": "7_0", **facts})
    return one


@pytest.mark.parametrize(
    ("folder", "said", "state"),
    [
        (None, PENDING, "queued"),
        (None, RUNNING, "queued"),  # it imports torch
        ("running", RUNNING, "running"),
        ("running", SlurmJobState("NODE_FAIL"), "running"),  # Slurm queues it again
        ("running", PENDING, "queued"),  # it was requeued
        ("queued", RUNNING, "queued"),
        ("failed", RUNNING, "failed"),  # its process still ends
        ("failed", FAILED, "failed"),
        ("timeout", GONE, "timeout"),
        ("running", FAILED, "lost"),
        ("running", GONE, "lost"),
        (None, SlurmJobState("CANCELLED"), "lost"),
        ("running", HELD, "held"),
        ("done", PENDING, "done"),
        ("done", GONE, "done"),
    ],
)
def test_the_folder_is_the_truth_and_slurm_says_if_it_lives(
    folder: str | None, said: SlurmJobState, state: str, tmp_path: Path
) -> None:
    assert reconciled_state(record(tmp_path, folder), HANDLE, said, SUBMITTED) == state


@pytest.mark.parametrize(
    ("heartbeat", "state"),
    [("2026-01-01T23:59:59Z", "lost"), ("2026-01-02T00:00:01Z", "failed")],
)
def test_a_word_from_before_the_submission_does_not_count(
    heartbeat: str, state: str, tmp_path: Path
) -> None:
    one = record(tmp_path, "failed", job="6_0", heartbeat=heartbeat)
    assert reconciled_state(one, HANDLE, FAILED, SUBMITTED) == state


@pytest.mark.parametrize(
    ("said", "printed", "state", "kind"),
    [
        (FAILED, "", "lost", "lost"),
        (FAILED, "slurmstepd: error: StepId=7.0 exceeded memory limit (3 > 2)", "failed", "memory"),
        (SlurmJobState("OUT_OF_MEMORY"), "", "failed", "memory"),
        (SlurmJobState("TIMEOUT"), "", "timeout", "timeout"),
        (SlurmJobState("CANCELLED"), "", "cancelled", "cancelled"),
        (GONE, "", "lost", "lost"),
    ],
)
def test_a_death_without_a_word_is_put_on_record(
    said: SlurmJobState, printed: str, state: str, kind: str, tmp_path: Path
) -> None:
    one = record(tmp_path, "running")
    assert record_end(one, HANDLE, said, printed) == state
    failure = one.failure()
    assert failure is not None
    assert (one.status()["state"], failure["kind"]) == (state, kind)
    assert "7_0" in failure["message"]


@pytest.mark.parametrize(
    ("row", "jobs"),
    [
        ("7_3|FAILED|1:0", ["7_3"]),
        ("7_[1-3,5%2]|PENDING|0:0", ["7_1", "7_2", "7_3", "7_5"]),
        ("7_[4]|CANCELLED by 0|0:0", ["7_4"]),
        ("7|RUNNING|0:0", []),  # no array of ours
    ],
)
def test_a_row_of_sacct_may_stand_for_several_jobs(row: str, jobs: list[str]) -> None:
    read = dict(_parse_sacct_row(row))
    assert list(read) == jobs
    assert all(" " not in said.state for said in read.values())


@pytest.mark.parametrize("minutes", [1, 2, 7, 8, 60, 10_000])
def test_a_short_limit_leaves_most_of_it_to_train_in(minutes: int) -> None:
    delay = signal_delay_seconds(LauncherOptions(timeout_min=minutes))
    assert 0 < delay <= min(120, minutes * 60 / 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout_min": 2, "signal_delay_s": 120}, "leaves no time to train in"),
        ({"signal_delay_s": 0}, "leaves no time to train in"),
        ({"max_num_timeout": -1}, "is negative"),
        ({"array_parallelism": 0}, "less than 1"),
    ],
)
def test_what_no_scheduler_can_do_is_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        validate_options(LauncherOptions(**options))
