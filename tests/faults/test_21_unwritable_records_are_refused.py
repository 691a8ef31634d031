"""A runs folder that cannot be written is refused before a trial starts."""

from pathlib import Path

from support.cli import SHORT, sweep
from support.filesystems import mounted


def refused(folder: Path) -> bool:
    done = sweep("-m", "seeds=2", *SHORT, cwd=folder)
    assert "machine.runs=runs cannot be written" in done.err
    assert done.err.count("\n") == 1
    return (done.code, done.out) == (2, "")


def test_read_only_folder_is_refused(tmp_path: Path) -> None:
    with mounted(tmp_path / "runs", "ro"):
        assert refused(tmp_path)


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    assert refused(tmp_path)
