"""What identifies the code of a result: a snapshot's git state, and the digest of the analysis."""

import shutil
from pathlib import Path

import pytest
from support.cli import ROOT, python

from clip_hparam.analysis.report import build
from clip_hparam.launch import code_snapshot

GIT_STATE = {"sha": "0123abcd", "dirty": "4567ef"}
PRINT_STATE = (
    "import clip_hparam.launch.slurm.job_main;"
    "from clip_hparam.records.provenance import PACKAGE, code_git_state;"
    "print(PACKAGE.parent); print(code_git_state())"
)


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(code_snapshot, "code_git_state", lambda: GIT_STATE)
    return code_snapshot.create_snapshot(tmp_path / "runs")


def test_git_state_is_found_from_the_copied_package(snapshot: Path, tmp_path: Path) -> None:
    done = python("-c", PRINT_STATE, cwd=tmp_path, PYTHONPATH=str(snapshot))
    assert done.code == 0, done.err
    assert done.out.splitlines() == [str(snapshot), str(GIT_STATE)]


def test_snapshot_leaves_out_analysis_and_conf(snapshot: Path) -> None:
    folders = {path.name for path in snapshot.rglob("*") if path.is_dir()}
    assert {"training", "slurm", "local", "tiny_clip"} <= folders
    assert not folders & {"analysis", "conf", "__pycache__"}
    assert next(snapshot.rglob("*.safetensors"), None)


@pytest.mark.parametrize("changed", ["stats/intervals.py", "frames/frame.py", "__init__.py"])
def test_digest_of_the_analysis_covers_all_folders(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stale digest would make `make tables` serve tables of older code."""
    copy = shutil.copytree(ROOT / "analysis", tmp_path / "analysis")
    monkeypatch.setattr(build, "__file__", str(copy / "report" / "build.py"))
    before = build._code_digest.__wrapped__()
    assert build._code_digest.__wrapped__() == before
    with (copy / changed).open("a") as file:
        file.write("# changed\n")
    assert build._code_digest.__wrapped__() != before
