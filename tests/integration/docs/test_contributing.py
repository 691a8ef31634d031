"""CONTRIBUTING.md matches the tree and the import layers, and its knob example works."""

import os
import re
import subprocess
import sys
import tomllib
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
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = (one["layers"] for one in settings["contracts"] if one.get("id") == contract)
    assert "".join(f"{layer}\n" for layer in layers) in BLOCKS


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


def test_the_examples_apply_together_pass_ruff_and_their_tests(tmp_path: Path) -> None:
    copy = copy_tree(tmp_path)
    for diff in dict(DIFFS).values():
        run_in_copy(copy, "git", "apply", "-", stdin=diff)
    for words in (("check",), ("format", "--check")):  # as `make check` does
        run_in_copy(copy, sys.executable, "-m", "ruff", *words, "--no-cache", ".")
    tests = (
        "tests/integration/test_no_silent_knob.py",
        "tests/unit/data/test_imagenette.py",
        "tests/analysis/figures/test_cost_scatter.py",
        "tests/unit/training/callbacks/trackers/test_json_lines.py",
    )
    chosen = "lr_update or has_a_case or imagenette or cost_scatter or json_lines"
    python = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "5 passed" in run_in_copy(copy, *python, *tests, "-k", chosen)
    plan = run_in_copy(copy, sys.executable, "sweep.py", "-m", "sweeps=lr_update", "dry_run=true")
    assert "10 trials: 0 done, 10 to do" in plan
