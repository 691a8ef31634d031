"""squeue's reasons for waiting jobs reach the user, with their meaning."""

from pathlib import Path

import pytest
from support.cli import fake

from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.slurm.job_array import JobLimits, create_job_array
from clip_hparam.launch.slurm.job_poller import submitted_trials
from clip_hparam.launch.slurm.waiting import explain_wait, unusual_reasons, waiting_lines
from clip_hparam.planning.resolve import resolve

DRAINED = "ReqNodeNotAvail, UnavailableNodes:node7"


def test_each_queued_trial_has_the_reason_of_its_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    specs = [TrialSpec(resolve(Recipe(seed=seed))) for seed in range(4)]
    array = create_job_array(runs, "ab12", "mine", [[one] for one in specs], JobLimits(1, 1, 0))
    array.write_job_id("7")
    lines = [
        f"7 0 PENDING 0 {DRAINED}",
        "7 1 PENDING 0 Priority",
        "7 2 PENDING 0 None",
        "7 3 RUNNING 0 None",
    ]
    fake(tmp_path, "squeue", "\n".join(f"echo '{line}'" for line in lines))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = submitted_trials(runs)
    assert found.reasons == {specs[0].trial_id: DRAINED, specs[1].trial_id: "Priority"}
    assert [found.states[one.trial_id] for one in specs] == ["queued"] * 4


def test_equal_reasons_are_counted_the_most_frequent_first() -> None:
    assert list(waiting_lines(["Priority", DRAINED, DRAINED])) == [
        f"2 queued in Slurm: {DRAINED} (the nodes it needs are down, drained or reserved,"
        " which sinfo -R lists)",
        "1 queued in Slurm: Priority (jobs with a higher priority are first)",
    ]


def test_an_unknown_reason_is_shown_as_squeue_prints_it() -> None:
    assert explain_wait("SomethingNew") == "SomethingNew"


def test_reasons_that_end_by_themselves_are_ordinary() -> None:
    reasons = ["Priority", "Resources", "", "PartitionDown", "None", DRAINED]
    assert unusual_reasons(reasons) == ["PartitionDown", DRAINED]
