"""What Slurm answers about a job that is not submitted, from recorded answers of its commands."""

from subprocess import CompletedProcess
from typing import Any

import pytest
from support.sinfo_output import SINFO_LINES

from clip_hparam.config.options.launcher_options import LauncherOptions
from clip_hparam.launch.slurm.cluster import partitions, request_check
from clip_hparam.launch.slurm.cluster.request_check import RequestCheck, check_request
from clip_hparam.launch.slurm.commands import SchedulerError

STARTS = (
    "sbatch: Job 4 to start at 2026-11-26T20:24:08 using 1 processors on nodes n1 in partition "
)
NO_NODES = "allocation failure: Requested node configuration is not available"


def answer(
    patch: pytest.MonkeyPatch, printed: str, flags: list[str] | None = None, **options: Any
) -> RequestCheck:
    """Check a job for which `sbatch --test-only` prints a line.

    flags: of the QOS of the cluster; None for a cluster without accounting.
    """
    code = int(STARTS not in printed)

    def qos_flags(*_: str, timeout: float) -> list[str]:
        if flags is None:
            raise SchedulerError("sacctmgr failed: no accounting")
        return flags

    done = CompletedProcess([], code, "", printed)
    patch.setattr(partitions, "output_lines", lambda *_, timeout: SINFO_LINES)
    patch.setattr(request_check, "output_lines", qos_flags)
    patch.setattr(request_check, "run_command", lambda *_, **__: done)
    return check_request("#!/bin/sh\n", LauncherOptions(**options))


def test_accepted_job_has_no_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(monkeypatch, f"{STARTS}main") == RequestCheck(True)


@pytest.mark.parametrize("partition", ["debug", None])
def test_time_limit_is_that_of_the_partition_in_which_the_job_would_start(
    partition: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="timeout_min=60 is more than the 30 min of partition deb"):
        answer(monkeypatch, f"{STARTS}debug", partition=partition, timeout_min=60)
    assert answer(monkeypatch, f"{STARTS}debug", ["", "DenyOnLimit,PartitionTimeLimit"]).is_accepted
    with pytest.raises(ValueError, match="more than the 30 min"):
        answer(monkeypatch, f"{STARTS}debug", ["", "DenyOnLimit"])


def test_partition_that_is_down_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    check = answer(monkeypatch, f"{STARTS}maint", partition="maint")
    assert check.notes == ("partition maint is down: jobs wait until an administrator starts it",)
    assert answer(monkeypatch, f"{STARTS}main", partition="maint,main").notes == ()


def test_nodes_that_could_never_run_the_job_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"a node of partition main has at most 62\.5 GB"):
        answer(monkeypatch, NO_NODES, mem_gb=100.0)


def test_drained_nodes_are_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    check = answer(monkeypatch, NO_NODES, mem_gb=10.0)
    assert not check.is_accepted
    assert "see sinfo -R for drained, down and reserved nodes" in check.notes[0]


def test_limit_of_submitted_jobs_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    check = answer(monkeypatch, "sbatch: error: QOSMaxSubmitJobPerUserLimit")
    assert not check.is_accepted
    assert check.notes[0].startswith("sbatch refuses more jobs, or jobs of this size: QOSMaxSubmit")


def test_unknown_partition_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = "sbatch: error: invalid partition specified: gpuu\nallocation failure: Invalid"
    with pytest.raises(ValueError, match=r"gpuu; partitions are main.*partition=gpu$"):
        answer(monkeypatch, printed, partition="gpuu")


def test_controller_that_does_not_respond_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = "allocation failure: Unable to contact slurm controller (connect failure)"
    with pytest.raises(SchedulerError, match="sbatch failed: Unable to contact"):
        answer(monkeypatch, printed)
