"""squeue and sacct hang or print nonsense: scontrol answers instead, and a note names squeue."""

from pathlib import Path

import pytest
from support.cli import clip_hparam, fake
from support.slurm_cluster import Cluster
from support.slurm_detached_sweep import DetachedSweep


@pytest.mark.parametrize("script", ["exec sleep 60", "echo nonsense; exit 1"])
def test_running_jobs_are_found_without_squeue_and_sacct(
    script: str,
    either: Cluster,
    detached: DetachedSweep,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("squeue", "sacct"):
        fake(tmp_path, name, script)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path), prepend=":")
        asked = clip_hparam("status", cwd=detached.folder)
    assert " running" in asked.out
    assert "lost" not in asked.out
    assert asked.err.count("note: squeue") == 1
