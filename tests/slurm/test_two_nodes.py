"""Trials whose ranks are Slurm tasks on two nodes."""

import os
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from support.cli import ROOT, start
from support.float64_trial import assert_same, trained
from support.slurm_cluster import Cluster
from support.slurm_jobs import (
    SLURM,
    job_of,
    pause,
    resume_once_signalled,
    submitted_arrays,
    train,
    warn,
)

from clip_hparam.distributed import SINGLE_PROCESS
from clip_hparam.records.record import Record

NODES = ("hydra.launcher.nodes=2", "hydra.launcher.tasks_per_node=1")
SMALL = ("data.epoch_images=100", "batch_size=50", "epochs=4", "machine.checkpoint_seconds=0")


def test_two_nodes_equal_one_process_in_float64(
    slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUBMITIT_EXECUTOR", "slurm")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}:{ROOT / 'tests'}")
    slurm("srun", "-N2", "-n2", sys.executable, "-m", "support.slurm_float64_rank", str(tmp_path))
    torch.set_num_threads(1)
    alone = trained(SINGLE_PROCESS)
    for rank in (0, 1):
        assert_same(np.load(tmp_path / f"{rank}.npz"), alone)


def test_warned_trial_resumes_and_lost_rank_is_named(either: Cluster, tmp_path: Path) -> None:
    driver = start("-m", "seeds=2", *SMALL, "retries=0", *SLURM, *NODES, cwd=tmp_path)
    try:
        warned, broken = train(tmp_path, 2)
        pause(warned)
        pid = pid_of_rank_1(tmp_path, broken)
        os.kill(pid, signal.SIGKILL)
        warn(either, warned)
        resume_once_signalled(warned)
        out, err = driver.communicate(timeout=200)
    finally:
        driver.kill()
        driver.communicate()
    assert driver.returncode == 1, err
    assert f"{broken.trial_id} lost: rank 1 of 2 (process {pid} on " in out
    either.wait_for(job_of(broken), "FAILED")
    result = warned.result()
    assert result is not None
    assert result["numerics"]["ranks"] == 2
    assert warned.status()["attempt"] == 2
    assert "resuming after" in (warned.folder / "log.txt").read_text()
    assert "NumNodes=2" in either("scontrol", "-o", "show", "job", job_of(warned))


def pid_of_rank_1(folder: Path, record: Record) -> int:
    """Return the process id that rank 1 of a trial printed to its log."""
    (array,) = submitted_arrays(folder)
    printed = (array.folder / f"{job_of(record)}_1_log.out").read_text()
    (pid,) = re.findall(r"rank 1 of 2 is process (\d+)", printed)
    return int(pid)
