"""A trial exceeds the memory of its job: the message names the limit and the option to raise."""

from pathlib import Path

from support.cli import SHORT, records, sweep
from support.slurm_cluster import Cluster
from support.slurm_jobs import SLURM


def test_out_of_memory_names_the_option_to_raise(either: Cluster, tmp_path: Path) -> None:
    done = sweep("-m", "seeds=1", *SHORT, *SLURM, "hydra.launcher.mem_gb=0.2", cwd=tmp_path)
    assert done.code == 1, done.err
    printed = done.out.replace("\n", " ")
    assert "and 0.2 GB is hydra.launcher.mem_gb: type hydra.launcher.mem_gb=2" in printed
    assert "exceeded memory limit" in printed
    assert not any(record.is_done() for record in records(tmp_path))
