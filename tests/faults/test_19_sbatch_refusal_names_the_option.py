"""A sweep beyond the size of an array is split; a refusal of Slurm names the option to change."""

from pathlib import Path

import pytest
from support.cli import SHORT, fake, sweep
from support.slurm_cluster import Cluster
from support.slurm_jobs import SLURM, submitted_arrays


def test_sweep_is_split_by_the_size_of_an_array(
    slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, "scontrol", "echo MaxArraySize = 2")
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path), prepend=":")
        later = "+hydra.launcher.additional_parameters.begin=now+600"
        words = ("-m", "seeds=5", *SHORT, *SLURM, later)
        done = sweep(*words, "detach=true", cwd=tmp_path)
    assert done.code == 0, done.err
    assert [len(array.packs) for array in submitted_arrays(tmp_path)] == [2, 2, 1]
    handles = [handle for array in submitted_arrays(tmp_path) for handle in array.handles()]
    assert sorted(slurm.waiting()) == sorted(handle.id for handle in handles)


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("partition=nosuch", "sbatch refuses hydra.launcher.partition=nosuch: "),
        ("constraint=nosuch", "sbatch refuses hydra.launcher.constraint=nosuch: "),
        ("mem_gb=100000", "a node of partition main has at most 31.25 GB"),
        ("gpus_per_node=3", "type hydra.launcher.gpus_per_node=2"),
        ("additional_parameters.begin=now", "type +hydra.launcher.additional_parameters.begin="),
    ],
)
def test_refusal_names_the_option(key: str, named: str, slurm: Cluster, tmp_path: Path) -> None:
    words = ("-m", "seeds=2", *SHORT, *SLURM, f"hydra.launcher.{key}")
    for of_plan in ((), ("dry_run=true",)):
        done = sweep(*words, *of_plan, cwd=tmp_path)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert named in done.err
        assert submitted_arrays(tmp_path) == []
