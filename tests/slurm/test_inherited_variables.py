"""A sweep that is started inside an allocation, on a real Slurm."""

import os
import subprocess
import sys
from pathlib import Path

from support.cli import ROOT, SHORT, clip_hparam, records, sweep
from support.slurm_cluster import Cluster
from support.slurm_jobs import SLURM, submitted_arrays

LEFT_OUT = ("hydra.launcher.tasks_per_node=null", "hydra.launcher.nodes=null")
CALLER = {
    "SLURM_GPUS_PER_NODE": "1",
    "SBATCH_MEM_PER_CPU": "10",
    "SLURM_EXPORT_ENV": "NONE",
    "SQUEUE_FORMAT2": "JobID",
    "SLURM_TIME_FORMAT": "relative",
}


def test_sweep_inside_an_allocation_trains(slurm: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "50%j a=b"
    folder.mkdir()
    words = ("-m", "seeds=1", *SHORT, *SLURM, *LEFT_OUT, "hydra.launcher.mem_gb=4")
    allocation = ("salloc", "-c", "1", "--mem-per-cpu=1500")
    variables = [f"{name}={value}" for name, value in CALLER.items()]
    command = [*allocation, "env", *variables, sys.executable, str(ROOT / "sweep.py"), *words]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (record,) = records(folder)
    assert record.is_done()
    (array,) = submitted_arrays(folder)
    assert {path.name for path in array.folder.glob("*_log.*")} == {
        f"{array.job_id}_0_0_log.{kind}" for kind in ("out", "err")
    }


def test_output_of_srun_is_in_the_message(slurm: Cluster, tmp_path: Path) -> None:
    done = sweep(
        "-m", "seeds=1", *SHORT, *SLURM, "hydra.launcher.srun_args=['--mem=90000']", cwd=tmp_path
    )
    assert done.code == 1, done.err
    assert " lost: Slurm job " in done.out
    assert "srun: error: " in done.out
    assert "srun: error: " in clip_hparam("status", cwd=tmp_path).out
