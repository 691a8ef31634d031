"""What others install: the wheel in an empty environment; minutes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import ROOT, SHORT, Done


def run(*words: str | Path, cwd: Path) -> Done:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env=inherited,
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def installed(folder: Path, *packages: str | Path) -> Path:
    """Install packages with their requirements into a new environment; return its Python."""
    made = folder / "venv" / "bin" / "python"
    for words in (
        [sys.executable, "-m", "venv", folder / "venv"],
        [made, "-m", "pip", "install", "--quiet", *packages],
    ):
        done = run(*words, cwd=folder)
        assert done.code == 0, done.err
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    apart = shutil.ignore_patterns(".*", "runs", "results", "build", "*.egg-info")
    shutil.copytree(ROOT, folder / "source", ignore=apart)
    words = ("-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, folder / "source")
    built = run(sys.executable, *words, cwd=folder)
    assert built.code == 0, built.err
    (found,) = folder.glob("*.whl")
    return found


@pytest.mark.slow
def test_the_wheel_alone_sweeps_and_makes_a_table(wheel: Path, tmp_path: Path) -> None:
    command = installed(tmp_path, wheel).with_name("clip-hparam")
    empty = tmp_path / "empty"
    empty.mkdir()
    swept = run(command, "sweep", "-m", "sweeps=lr", "seeds=1", *SHORT, cwd=empty)
    assert swept.code == 0, swept.err
    status = run(command, "status", "--json", cwd=empty)
    assert [set(one["states"]) for one in json.loads(status.out)] == [{"done"}]
    table = run(command, "tables", "lr", cwd=empty)
    assert table.code == 0, table.err
    assert (empty / "results" / "lr.md").stat().st_size > 500
