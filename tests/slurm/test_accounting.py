"""A Slurm with accounting: sacct has the right states, and answers where squeue fails."""

import os
import signal
from pathlib import Path

import pytest
from support.cli import SHORT, clip_hparam, fake, results, sweep, wait_until
from support.slurm_cluster import Cluster
from support.slurm_jobs import (
    LONG,
    SLURM,
    accounting_rows,
    job_of,
    kill_task,
    pause,
    submitted_arrays,
    train,
    trial_id_of,
)


def test_failed_trial_is_failed_in_sacct_and_rerun_alone(
    accounted: Cluster, tmp_path: Path
) -> None:
    folder = tmp_path / "a folder"
    obstacle = folder / "runs" / trial_id_of(0) / "correct.npz"
    obstacle.mkdir(parents=True)  # correct.npz cannot be written
    words = ("-m", "seeds=2", *SHORT, *SLURM)
    assert sweep(*words, cwd=folder).code == 1
    job_id = submitted_arrays(folder)[0].job_id or ""
    wait_until(lambda: accounting_rows(accounted, job_id) == ["FAILED|1:0", "COMPLETED|0:0"], 30)
    obstacle.rmdir()
    done = sweep(*words, cwd=folder)
    assert done.code == 0, done.err
    assert [len(array.packs) for array in submitted_arrays(folder)] == [2, 1]
    assert len(results(folder)) == 2


def test_shared_job_fails_with_one_of_its_trials(accounted: Cluster, tmp_path: Path) -> None:
    (tmp_path / "runs" / trial_id_of(0) / "correct.npz").mkdir(parents=True)  # cannot be written
    done = sweep("-m", "seeds=2", *SHORT, *SLURM, "trials_per_job=2", cwd=tmp_path)
    assert done.code == 1, done.err
    (array,) = submitted_arrays(tmp_path)
    wait_until(lambda: accounting_rows(accounted, array.job_id or "") == ["FAILED|1:0"], 30)
    assert list(results(tmp_path)) == [trial_id_of(1)]


def test_sacct_answers_where_squeue_fails(
    accounted: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("-m", "seeds=4", *LONG, *SLURM, "hydra.launcher.max_num_timeout=0", "detach=true")
    assert sweep(*words, cwd=tmp_path).code == 0
    cancelled, killed, twice, going = train(tmp_path, 4)
    pause(going)
    accounted("scancel", job_of(cancelled))
    kill_task(killed)
    accounted("scontrol", "requeue", job_of(twice))
    wait_until(lambda: twice.status()["attempt"] == 2)
    pause(twice)
    expected = ["CANCELLED by 0|0:0", "FAILED|9:0", "RUNNING|0:0", "RUNNING|0:0"]
    wait_until(lambda: accounting_rows(accounted, job_of(going).partition("_")[0]) == expected, 30)
    fake(tmp_path, "squeue", "exit 1")
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path), prepend=":")
        assert "1 cancelled, 1 lost, 2 running" in clip_hparam("status", cwd=tmp_path).out
    for record in (twice, going):
        os.kill(record.status()["pid"], signal.SIGKILL)
