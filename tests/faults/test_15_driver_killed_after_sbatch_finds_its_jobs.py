"""The driver is killed before it records the job id: its jobs are found, none is resubmitted."""

import shutil
from pathlib import Path

import pytest
from support.cli import SHORT, fake, sweep_process
from support.slurm_cluster import Cluster
from support.slurm_jobs import SLURM, submitted_arrays

LATER = "+hydra.launcher.additional_parameters.begin=now+600"


def test_same_command_finds_jobs_by_their_name(
    slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("-m", "seeds=8", *SHORT, *SLURM, LATER, "detach=true")
    fake(
        tmp_path,
        "sbatch",
        f'{shutil.which("sbatch")} "$@"; [ "$1" = --test-only ] || kill -9 $PPID',
    )
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path), prepend=":")
        assert sweep_process(*words, cwd=tmp_path).code == -9
    assert [array.job_id for array in submitted_arrays(tmp_path)] == [None]
    again = sweep_process(*words, cwd=tmp_path)
    assert again.code == 0, again.err
    assert "8 trials are in Slurm already: following them" in again.out
    (array,) = submitted_arrays(tmp_path)
    assert {job.partition("_")[0] for job in slurm.waiting()} == {array.job_id}
