"""One sound sweep of two cells and two seeds, to copy and to damage."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cli import SHORT, Done, sweep

GRID = ("-m", "lr=1e-3,3e-3", "seeds=2", *SHORT)


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("sound")
    done = sweep(*GRID, cwd=folder)
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def swept(sound: Path, tmp_path: Path) -> Path:
    """A folder of its own with the records of GRID, all done."""
    shutil.copytree(sound / "runs", tmp_path / "runs")
    return tmp_path


@pytest.fixture
def again() -> Callable[[Path], Done]:
    """Runs GRID in a folder."""
    return lambda folder: sweep(*GRID, cwd=folder)
