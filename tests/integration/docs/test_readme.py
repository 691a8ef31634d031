"""Each command of the README runs as it is written, in order, in an empty folder.

The commands under "Install" need a network and are left out; test_installed_package.py installs the
package.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import ROOT, SHORT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
COMMANDS = [line.split("#")[0].strip() for block in BLOCKS for line in block.splitlines()]
MAKE = [command for command in COMMANDS if command.startswith("make")]
INSTALL = ("git clone", "source")
RUNNABLE = [command for command in COMMANDS if not command.startswith(("make", *INSTALL))]


def shortened(command: str) -> str:
    """Return the command with two optimizer steps per trial."""
    return f"{command} {' '.join(SHORT)}" if command.startswith("python sweep.py") else command


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("readme")
    (made / "sweep.py").symlink_to(ROOT / "sweep.py")
    return made


@pytest.mark.parametrize("command", RUNNABLE)
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


def test_the_make_commands_are_targets_of_the_makefile() -> None:
    assert MAKE == ["make demo", "make test", "make setup"]
    for command in MAKE:
        done = subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, capture_output=True)
        assert done.returncode == 0


def test_the_python_of_the_readme_reads_the_records(folder: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", block.replace("frames.trials[[", "print(frames.trials[[") + ")"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "test_acc1.ema.selected" in done.stdout


def table_rows(text: str, first_cell: str) -> list[dict[str, str]]:
    """Return the rows of the Markdown table whose header starts with `first_cell`."""
    (table,) = re.findall(rf"^\| {first_cell} .*\n(?:\|.*\n)+", text, re.MULTILINE)
    head, _, *body = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()
    )
    return [dict(zip(head, cells, strict=True)) for cells in body]


def test_the_short_ladder_agrees_with_the_full_one() -> None:
    short = table_rows(README, "rung")
    full = table_rows((ROOT / "docs" / "ladder.md").read_text(), "rung")
    assert len(short) == len(full) == 7
    assert len(short[0]) == 5
    assert [{name: row[name] for name in short[0]} for row in full] == short


def test_the_links_of_the_documentation_point_to_files() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"


def test_tree_has_every_room_of_the_package() -> None:
    listed = re.findall(r"^  (\w+)/ ", README, re.MULTILINE)
    rooms = {path.parent.name for path in (ROOT / "src" / "clip_hparam").glob("*/__init__.py")}
    assert sorted(listed) == sorted(rooms - {"analysis"})
