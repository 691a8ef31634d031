"""A finished sweep of two cells and two seeds, which tests copy and damage."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cli import SHORT, Done, sweep

GRID = ("-m", "lr=1e-3,3e-3", "seeds=2", *SHORT)


@pytest.fixture(scope="session")
def finished_sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run GRID once per session; return the folder that holds its `runs`."""
    folder: Path = tmp_path_factory.mktemp("finished")
    done = sweep(*GRID, cwd=folder)
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def sweep_copy(finished_sweep: Path, tmp_path: Path) -> Path:
    """Copy the records of `finished_sweep` to a folder of the test."""
    shutil.copytree(finished_sweep / "runs", tmp_path / "runs")
    return tmp_path


@pytest.fixture
def rerun() -> Callable[[Path], Done]:
    """Return a function that runs GRID in a folder."""
    return lambda folder: sweep(*GRID, cwd=folder)
