"""squeue and sacct hang or answer nonsense: another command is asked, with one note, in time."""

from pathlib import Path

import pytest
from commands import clip_hparam, sweep
from slurm.cluster import Cluster
from slurm.jobs import LONG, SLURM, train


def broken(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("script", ["exec sleep 60", "echo nonsense; exit 1"])
def test_what_lives_is_still_known(
    script: str, slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sweep("-m", "seeds=1", *LONG, *SLURM, "detach=true", cwd=tmp_path).code == 0
    train(tmp_path, 1)
    for name in ("squeue", "sacct"):
        broken(tmp_path, name, script)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path), prepend=":")
        asked = clip_hparam("status", cwd=tmp_path)
    assert "1 running" in asked.out
    assert asked.err.count("note: squeue") == 1
