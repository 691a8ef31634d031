"""CONTRIBUTING.md matches the tree and the import layers, and its knob example works."""

import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
DIFFS = re.findall(r"^## Add an? ([^\n]+)$.*?^```diff\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
PACKAGE, ANALYSIS = ROOT / "src" / "clip_hparam", ROOT / "analysis"


def tracked_files() -> list[str]:
    words = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if os.path.lexists(ROOT / name)]


def listed_entries(heading: str) -> set[str]:
    """Return the first words of the indented lines below a heading of the tree."""
    (block,) = [block for block in BLOCKS if block.startswith("src/clip_hparam/")]
    section = block[block.index(f"{heading}\n") + len(heading) + 1 :]
    lines = re.match(r"(?:  .*\n)*", section)
    assert lines is not None
    return {line.split()[0] for line in lines[0].splitlines()}


def code_folders(root: Path, prefix: str) -> set[str]:
    """Return the folders with Python files below a tracked folder, as paths that end in "/"."""
    inside = [name.removeprefix(prefix) for name in tracked_files() if name.startswith(prefix)]
    folders = {str(Path(name).parent) for name in inside if name.endswith(".py")} - {"."}
    assert all((root / folder).is_dir() for folder in folders)
    return {f"{folder}/" for folder in folders}


def test_the_tree_lists_each_folder_and_module_of_the_package() -> None:
    modules = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    expected = code_folders(PACKAGE, "src/clip_hparam/") | modules
    assert listed_entries("src/clip_hparam/") == expected


def test_the_tree_lists_each_folder_of_analysis() -> None:
    assert listed_entries("analysis/") == code_folders(ANALYSIS, "analysis/")


@pytest.mark.parametrize("contract", ["layers", "analysis-layers"])
def test_the_layers_are_those_of_the_import_contracts(contract: str) -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert f"{config[f'importlinter:contract:{contract}']['layers'].strip()}\n" in BLOCKS


def test_each_kind_of_addition_has_a_diff() -> None:
    assert [name for name, _ in DIFFS] == ["knob", "data set", "figure", "tracker"]


def copy_tree(folder: Path) -> Path:
    """Copy the files of the project, links as links, and return the folder."""
    for name in tracked_files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            target.symlink_to((ROOT / name).readlink())
        else:
            target.write_bytes((ROOT / name).read_bytes())
    return folder


def run_in_copy(copy: Path, *words: str, stdin: str = "") -> str:
    environment = {**os.environ, "PYTHONPATH": str(copy / "src")}
    # pytest of the copy is not a worker of this run
    environment = {name: value for name, value in environment.items() if "PYTEST" not in name}
    done = subprocess.run(
        words, cwd=copy, env=environment, input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", dict(DIFFS))
def test_the_example_applies_to_the_tree(name: str) -> None:
    words = ["git", "apply", "--check", "-"]
    done = subprocess.run(
        words, cwd=ROOT, input=dict(DIFFS)[name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_knob_example_applies_and_its_test_passes(tmp_path: Path) -> None:
    copy = copy_tree(tmp_path)
    run_in_copy(copy, "git", "apply", "-", stdin=dict(DIFFS)["knob"])
    words = ("tests/integration/test_no_silent_knob.py", "-k", "lr_update or has_a_case")
    python = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "2 passed" in run_in_copy(copy, *python, *words)
    plan = run_in_copy(copy, sys.executable, "sweep.py", "-m", "sweeps=lr_update", "dry_run=true")
    assert "10 trials: 0 done, 10 to do" in plan
