"""A plan asks Slurm about its jobs, and a sweep does before it submits them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.cli import SHORT, fake, sweep
from support.in_process import Done
from support.slurm_cluster import Cluster
from support.slurm_jobs import SLURM, submitted_arrays

from clip_hparam.launch.slurm.cluster import partitions

ACCEPTED = "Slurm accepts such a job (sbatch --test-only)"


def plan(folder: Path, *words: str) -> Done:
    return sweep("-m", "seeds=2", *SHORT, *SLURM, "dry_run=true", *words, cwd=folder)


@contextmanager
def changed(slurm: Cluster, what: str, change: str, before: str) -> Iterator[None]:
    """Change a partition or nodes while the block runs."""
    slurm("scontrol", "update", what, *change.split())
    try:
        yield
    finally:
        slurm("scontrol", "update", what, *before.split())


def test_plan_shows_the_answer_of_slurm(slurm: Cluster, tmp_path: Path) -> None:
    done = plan(tmp_path)
    assert done.code == 0, done.err
    assert ACCEPTED in done.out
    with changed(slurm, "NodeName=n[1-3]", "State=DRAIN Reason=test", "State=RESUME"):
        done = plan(tmp_path)
    assert done.code == 0, done.err
    assert "see sinfo -R for drained" in done.out.replace("\n", " ")
    assert ACCEPTED not in done.out
    assert list(tmp_path.iterdir()) == []


def test_time_limit_of_the_partition_ends_plan_and_sweep(slurm: Cluster, tmp_path: Path) -> None:
    with changed(slurm, "PartitionName=main", "MaxTime=10", "MaxTime=UNLIMITED"):
        for done in (plan(tmp_path), sweep("-m", "seeds=2", *SHORT, *SLURM, cwd=tmp_path)):
            assert (done.code, done.err.count("\n")) == (2, 1)
            assert "timeout_min=30 is more than the 10 min of partition main" in done.err
            assert "high allows it: type hydra.launcher.partition=high" in done.err
    assert submitted_arrays(tmp_path) == []


def test_plan_of_a_search_shows_the_answer_for_its_workers(slurm: Cluster, tmp_path: Path) -> None:
    words = ("-m", "sweeps=search", *SLURM, "dry_run=true")
    done = sweep(*words, cwd=tmp_path)
    assert done.code == 0, done.err
    assert f"timeout_min=30\n{ACCEPTED}\n" in done.out
    done = sweep(*words, "hydra.launcher.partition=hihg", cwd=tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "partitions are main, high: type hydra.launcher.partition=high" in done.err


def test_plan_without_an_answer_says_what_was_not_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sbatch", "srun"):
        fake(tmp_path, name, "exit 1")
    fake(tmp_path, "sinfo", "exec sleep 9")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(partitions, "QUERY_SECONDS", 0.2)
    done = plan(tmp_path)
    assert done.code == 0, done.err
    assert "not checked with Slurm: sinfo does not respond within 0.2 s" in done.out
