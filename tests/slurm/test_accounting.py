"""A Slurm with accounting: its own books are right, and answer where the queue does not."""

from pathlib import Path

import pytest
from commands import SHORT, clip_hparam, sweep, wait_until
from slurm.cluster import Cluster
from slurm.jobs import LONG, SLURM, sent, train
from slurm.test_sweeps import id_of


def books(slurm: Cluster, job_id: str) -> list[str]:
    return slurm("sacct", "-n", "-X", "-P", "-j", job_id, "-o", "State,ExitCode").split("\n")[:-1]


def test_a_failed_trial_is_failed_in_the_books(accounted: Cluster, tmp_path: Path) -> None:
    (tmp_path / "runs" / id_of(0) / "correct.npz").mkdir(parents=True)
    assert sweep("-m", "seeds=2", *SHORT, *SLURM, cwd=tmp_path).code == 1
    job_id = sent(tmp_path)[0].job_id or ""
    wait_until(lambda: books(accounted, job_id) == ["FAILED|1:0", "COMPLETED|0:0"], 30)


def test_the_books_answer_where_the_queue_does_not(
    accounted: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sweep("-m", "seeds=1", *LONG, *SLURM, "detach=true", cwd=tmp_path).code == 0
    train(tmp_path, 1)
    (array,) = sent(tmp_path)
    accounted("scancel", f"{array.job_id}_0")
    wait_until(lambda: books(accounted, array.job_id or "") == ["CANCELLED by 0|0:0"], 30)
    (tmp_path / "squeue").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "squeue").chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path), prepend=":")
        assert "1 cancelled" in clip_hparam("status", cwd=tmp_path).out
