"""The disk is full: exit code 3, one sentence, no truncated file; the sweep resumes later."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cli import SHORT, python, results, sweep, sweep_process
from support.filesystems import mount, mounted

TWO = ("-m", "seeds=2", "machine.checkpoint_seconds=0", *SHORT)
LIMITED = """
import resource, sys
if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, resource.RLIM_INFINITY))
    from clip_hparam.cli.hydra_app.app import main
    sys.exit(main())
"""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 1 MB at `runs`: enough for records, not for a checkpoint."""
    with mounted(tmp_path / "runs", "size=1m"):
        yield tmp_path


def whole(folder: Path) -> bool:
    """Return whether no file under a final name is truncated."""
    for path in folder.rglob("*.json"):
        json.loads(path.read_text())
    return not list(folder.rglob("step_*.safetensors"))


@pytest.mark.parametrize("left", [2**20, 2**15, 2**13, 0])
def test_full_disk_is_a_storage_error_until_there_is_space(small: Path, left: int) -> None:
    filler = small / "runs" / "filler"
    filler.write_bytes(bytes(2**20 - left))
    done = sweep_process(*TWO, cwd=small)
    assert done.code == 3, done.out + done.err
    assert done.err.startswith("storage error: ")
    assert "No space left on device" in done.err
    assert done.err.count("\n") == 1
    assert whole(small)
    assert results(small) == {}
    assert not mount("-o", "remount,size=64m", str(small / "runs")).returncode
    again = sweep(*TWO, cwd=small)
    assert again.code == 0, again.err
    assert len(results(small)) == 2


def test_file_size_limit_is_a_storage_error(tmp_path: Path) -> None:
    limited = tmp_path / "limited.py"
    limited.write_text(LIMITED)
    for words in (TWO, ("machine.checkpoint_seconds=0", *SHORT)):
        done = python(limited, *words, cwd=tmp_path)
        assert done.code == 3, done.out + done.err
    assert whole(tmp_path)
    assert sweep(*TWO, cwd=tmp_path).code == 0
