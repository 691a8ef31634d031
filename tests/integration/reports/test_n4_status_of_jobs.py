"""`status` and `why` report a worker killed for its memory; `cancel` counts jobs."""

from pathlib import Path

import pytest
from support.cli import clip_hparam, fake

from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.slurm.job_array import JobLimits, create_job_array
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.manifests.manifest import manifest_tree, write_manifest
from clip_hparam.records.record import Record

SWEEP, TRIAL = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
REASON = "Slurm job 7_0 ended FAILED: it exceeded its memory; raise hydra.launcher.mem_gb"


@pytest.mark.parametrize("started", [True, False])
def test_worker_killed_for_its_memory_is_reported_with_the_remedy(
    started: bool, tmp_path: Path
) -> None:
    runs = tmp_path / "my runs"
    cell = {"label": "lr=1", "overrides": ["lr=1"], "trials": {"0": TRIAL}}
    write_manifest(runs, manifest_tree(SWEEP, "mine", "search", [cell]))
    process = {"host": "n1", "pid": 5, "job": "7_0"}
    for number, state in enumerate(("failed", "done")):
        worker = Record(runs, f".sweeps/{SWEEP}/worker_{number}")
        worker.write_status(state, **{**process, "pid": 5 + number})
        if state == "failed":
            worker.write_failure("failed", "memory", REASON, printed="slurmstepd: memory limit")
    trial = Record(runs, TRIAL)
    if started:
        trial.write_status("running", **process, heartbeat="2026-01-01T00:00:00Z")
    else:
        trial.write_failure("lost", "lost", "its worker was lost, more often than retries allows")
    shown = clip_hparam("status", "--runs", runs, cwd=tmp_path).out.splitlines()
    assert shown[0].endswith("mine: 1 lost")
    assert shown[1:] == [f"  worker_0 failed: {REASON}"]
    of_sweep = clip_hparam("why", "mine", "--runs", runs, cwd=tmp_path)
    assert f"worker_0 failed: {REASON}\n" in of_sweep.out
    why = clip_hparam("why", TRIAL, "--runs", runs, cwd=tmp_path)
    assert f"memory: its search worker: {REASON}\n" in why.out
    assert "  slurmstepd: memory limit\n" in why.out


def test_a_trial_of_slurm_is_run_again_there_and_its_reason_is_printed_once(tmp_path: Path) -> None:
    line = "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0"
    trial, runs = TrialSpec(resolve(Recipe())).trial_id, tmp_path / "runs"
    cell = {"label": "lr=1", "overrides": ["lr=1"], "trials": {"0": trial}}
    typed = ["clip-hparam", "-m", "lr=1,2", "hydra/launcher=submitit_slurm"]
    tree = {**manifest_tree(SWEEP, "mine", "grid", [cell]), "command": typed}
    write_manifest(runs, tree)
    record = Record(runs, trial)
    record.write_status("failed", job="7_0")
    printed = f"{line}\n{line}\nTraceback: a line of its own\n"
    record.write_failure("failed", "memory", f"{REASON} ({line})", printed=printed)
    why = clip_hparam("why", trial, cwd=tmp_path).out
    assert why.count("slurmstepd") == 1
    assert "  Traceback: a line of its own\n" in why
    again = "clip-hparam sweep -m lr=1,2 hydra/launcher=submitit_slurm"
    assert f"run again in Slurm, with the other unfinished trials of its sweep: {again}\n" in why
    assert "again on this computer: " in why
    assert f"in Slurm  {again}\n" in clip_hparam("show", trial, cwd=tmp_path).out


def test_a_search_without_trials_shows_its_worker_and_no_command_of_a_trial(
    tmp_path: Path,
) -> None:
    runs = tmp_path / "runs"
    write_manifest(runs, manifest_tree(SWEEP, "mine", "search", []))
    worker = Record(runs, f".sweeps/{SWEEP}/worker_0")
    worker.write_status("failed", host="n1", pid=5, job="7_0")
    worker.write_failure("failed", "memory", REASON)
    shown = clip_hparam("why", "mine", cwd=tmp_path).out
    assert shown == f"mine, sweep {SWEEP}: no trial\nworker_0 failed: {REASON}\n"


def test_queued_trials_are_shown_with_the_reason_of_their_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    specs = [TrialSpec(resolve(Recipe(seed=seed))) for seed in range(2)]
    trials = {str(seed): spec.trial_id for seed, spec in enumerate(specs)}
    cell = {"label": "one", "overrides": [], "trials": trials}
    write_manifest(runs, manifest_tree(SWEEP, "mine", "grid", [cell]))
    create_job_array(runs, SWEEP, "mine", [specs], JobLimits(1, 1, 0)).write_job_id("7")
    fake(tmp_path, "squeue", "echo 7 0 PENDING 0 ReqNodeNotAvail, UnavailableNodes:n1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    reason = "ReqNodeNotAvail, UnavailableNodes:n1 (the nodes it needs are down"
    for words in (("status",), ("status", "mine")):
        shown = clip_hparam(*words, cwd=tmp_path).out
        assert "mine: 2 queued\n" in shown
        assert f"  2 queued in Slurm: {reason}" in shown
    assert f"waits in Slurm: {reason}" in clip_hparam("why", specs[0].trial_id, cwd=tmp_path).out


def test_cancel_counts_trials_and_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "other"
    specs = [TrialSpec(resolve(Recipe(seed=seed))) for seed in range(3)]
    trials = {str(seed): spec.trial_id for seed, spec in enumerate(specs)}
    cell = {"label": "one", "overrides": [], "trials": trials}
    write_manifest(runs, manifest_tree(SWEEP, "mine", "grid", [cell]))
    create_job_array(runs, SWEEP, "mine", [specs[:2], specs[2:]], JobLimits(1, 1, 0)).write_job_id(
        "7"
    )
    fake(tmp_path, "squeue", "echo 7 0 PENDING 0 None; echo 7 1 PENDING 0 None")
    fake(tmp_path, "scancel", f'echo "$@" > {tmp_path}/cancelled')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    ended = clip_hparam("cancel", "mine", "--runs", runs, cwd=tmp_path).out
    assert ended.startswith("3 trials in 2 jobs of mine ended, and their checkpoints are kept")
    assert f"clip-hparam retry mine --runs {runs} continues" in ended
    assert (tmp_path / "cancelled").read_text() == "7_0 7_1\n"
