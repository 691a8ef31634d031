"""Every command of the README runs as it stands, in order, in a folder of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import ROOT, SHORT

BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
COMMANDS = [line.split("#")[0].strip() for block in BLOCKS for line in block.splitlines()]
MAKE = [command for command in COMMANDS if command.startswith("make")]
OTHERS = [command for command in COMMANDS if not command.startswith("make")]


def shortened(command: str) -> str:
    """Two optimiser steps a trial: the command is what is tried here, not the number it gives."""
    return f"{command} {' '.join(SHORT)}" if command.startswith("python sweep.py") else command


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("readme")
    (made / "sweep.py").symlink_to(ROOT / "sweep.py")
    return made


@pytest.mark.parametrize("command", OTHERS)
def test_a_command_of_the_readme_runs(command: str, folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", shortened(command)],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    assert MAKE == ["make demo", "make test"]
    for command in MAKE:
        done = subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, capture_output=True)
        assert done.returncode == 0


def test_the_python_of_the_readme_reads_the_records(folder: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", block.replace("frames.trials[[", "print(frames.trials[[") + ")"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "test_acc1.ema.selected" in done.stdout
