"""The state of a trial from its record and its Slurm job. No test here needs a Slurm."""

from pathlib import Path

import pytest

from clip_hparam.launch.base import JobHandle
from clip_hparam.launch.slurm.queries import GONE, SlurmJobState
from clip_hparam.launch.slurm.reconcile import (
    reconciled_state,
    record_end,
    record_hold,
)
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
    ("recorded", "job", "state"),
    [
        (None, PENDING, "queued"),
        (None, RUNNING, "queued"),  # the job imports torch
        ("running", RUNNING, "running"),
        ("running", SlurmJobState("NODE_FAIL"), "running"),  # Slurm will requeue it
        ("running", PENDING, "queued"),  # it was requeued
        ("queued", RUNNING, "queued"),
        ("failed", RUNNING, "failed"),  # the process has not exited yet
        ("failed", FAILED, "failed"),
        ("timeout", GONE, "timeout"),
        ("running", FAILED, "lost"),
        ("running", GONE, "lost"),
        (None, SlurmJobState("CANCELLED"), "lost"),
        ("running", HELD, "held"),
        (None, SlurmJobState("PENDING", "PartitionConfig"), "held"),  # it would wait for ever
        (None, SlurmJobState("RUNNING", "PartitionConfig"), "queued"),
        ("held", RUNNING, "queued"),  # it was released
        ("held", GONE, "lost"),  # scancel, as the message about a held job advises
        ("held", SlurmJobState("CANCELLED"), "lost"),
        ("done", PENDING, "done"),
        ("done", GONE, "done"),
    ],
)
def test_record_decides_and_slurm_tells_whether_the_job_exists(
    recorded: str | None, job: SlurmJobState, state: str, tmp_path: Path
) -> None:
    assert reconciled_state(record(tmp_path, recorded), HANDLE, job, SUBMITTED) == state


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("JobHeldUser", "Slurm holds job 7_0 (JobHeldUser): scontrol release 7_0"),
        (
            "BadConstraints",
            "cannot start job 7_0 as it is (BadConstraints): scancel 7_0, and change",
        ),
    ],
)
def test_job_that_waits_for_a_person_says_what_to_type(
    reason: str, advice: str, tmp_path: Path
) -> None:
    one = record(tmp_path, None)
    record_hold(one, HANDLE, SlurmJobState("PENDING", reason))
    assert one.status()["state"] == "held"
    assert advice in (one.failure() or {})["message"]


@pytest.mark.parametrize(
    ("heartbeat", "state"),
    [("2026-01-01T23:59:59Z", "lost"), ("2026-01-02T00:00:01Z", "failed")],
)
def test_record_from_before_the_submission_does_not_count(
    heartbeat: str, state: str, tmp_path: Path
) -> None:
    one = record(tmp_path, "failed", job="6_0", heartbeat=heartbeat)
    assert reconciled_state(one, HANDLE, FAILED, SUBMITTED) == state


@pytest.mark.parametrize(
    ("job", "stderr", "state", "kind"),
    [
        (FAILED, "", "lost", "lost"),
        (FAILED, "slurmstepd: error: StepId=7.0 exceeded memory limit (3 > 2)", "failed", "memory"),
        (SlurmJobState("OUT_OF_MEMORY"), "", "failed", "memory"),
        (SlurmJobState("TIMEOUT"), "", "timeout", "timeout"),
        (SlurmJobState("CANCELLED"), "", "cancelled", "cancelled"),
        (GONE, "", "lost", "lost"),
    ],
)
def test_unrecorded_end_of_a_job_is_recorded(
    job: SlurmJobState, stderr: str, state: str, kind: str, tmp_path: Path
) -> None:
    one = record(tmp_path, "running")
    assert record_end(one, HANDLE, job, stderr) == state
    failure = one.failure()
    assert failure is not None
    assert (one.status()["state"], failure["kind"]) == (state, kind)
    assert "7_0" in failure["message"]


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        ("a\nsrun: fatal: SLURM_MEM_PER_CPU is exclusive\nb\n", "srun: fatal: SLURM_MEM_PER_CPU"),
        ("/spool/job00007/slurm_script: line 9: srun: command not found\n", "command not found"),
        ("Traceback\n  File\nImportError: no torch\n", "ImportError: no torch"),
        ("", "no reason was recorded"),
    ],
)
def test_message_of_a_lost_trial_has_the_output_of_slurm(
    stderr: str, reason: str, tmp_path: Path
) -> None:
    one = record(tmp_path, None)
    record_end(one, HANDLE, FAILED, stderr)
    failure = one.failure()
    assert failure is not None
    assert reason in failure["message"]
    assert failure["message"].count("\n") == 0


@pytest.mark.parametrize(
    ("stderr", "advice"),
    [
        (
            "slurmstepd-vm: error: StepId=8.0 exceeded memory limit (1428549632 > 965738496)\n",
            "; it used 1.33 GB when Slurm ended it, and 0.9 GB is the cluster's default: type"
            " hydra.launcher.mem_gb=3 (slurmstepd-vm",
        ),
        ("slurmstepd: error: Detected 1 oom_kill event\n", "raise hydra.launcher.mem_gb (slurmst"),
    ],
)
def test_a_lack_of_memory_is_recorded_with_the_memory_in_use(
    stderr: str, advice: str, tmp_path: Path
) -> None:
    one = record(tmp_path, "running")
    assert record_end(one, HANDLE, FAILED, stderr) == "failed"
    assert advice in (one.failure() or {})["message"]


@pytest.mark.parametrize(("before", "is_started"), [("held", False), ("running", True)])
def test_a_pending_job_that_was_cancelled_has_a_message_of_its_own(
    before: str, is_started: bool, tmp_path: Path
) -> None:
    one = record(tmp_path, before)
    assert record_end(one, HANDLE, GONE, "") == "lost"
    message = (one.failure() or {})["message"]
    assert ("job 7_0, which never started: it was cancelled" in message) is not is_started


def test_a_second_job_that_is_held_is_named(tmp_path: Path) -> None:
    one = record(tmp_path, "held", job="6_0")
    record_hold(one, HANDLE, HELD)
    assert "scontrol release 7_0" in (one.failure() or {})["message"]
