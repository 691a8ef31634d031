"""A folder that cannot be written is found before anything is started."""

import subprocess
from pathlib import Path

import pytest
from commands import SHORT, sweep


def refused(folder: Path) -> bool:
    done = sweep("-m", "seeds=2", *SHORT, cwd=folder)
    assert "machine.runs=runs cannot be written" in done.err
    assert done.err.count("\n") == 1
    return (done.code, done.out) == (2, "")


def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "ro", "none", str(tmp_path / "runs")]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a read-only file system")
    try:
        assert refused(tmp_path)
    finally:
        subprocess.run(["umount", str(tmp_path / "runs")], check=True)


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    assert refused(tmp_path)
