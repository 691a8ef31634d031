"""Layout of the tree: small folders, few rooms, tests that mirror modules, full contracts."""

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.cli import ROOT

PACKAGE, ANALYSIS, TESTS = ROOT / "src" / "clip_hparam", ROOT / "analysis", ROOT / "tests"
MAX_MODULES, MAX_LINES, MAX_FUNCTION_LINES = 13, 220, 40
TABLES = {
    PACKAGE / "config" / "recipe.py": "every knob",
    PACKAGE / "cli" / "reference" / "knob_notes.py": "a note on every knob",
}
SLURM_TYPES = re.compile(r": (Cluster|DetachedSweep|DisturbedSweep)\b")


def modules(folder: Path) -> list[Path]:
    """Return all modules below a folder; links are not followed."""
    return sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")


def names_in(folder: Path) -> tuple[set[str], set[str]]:
    """Return the folders and the modules at the top of a package, without links and caches."""
    entries = [path for path in folder.iterdir() if not path.is_symlink()]
    folders = {path.name for path in entries if path.is_dir() and path.name != "__pycache__"}
    files = {path.stem for path in entries if path.suffix == ".py" and path.stem != "__init__"}
    return folders, files


def contract(name: str) -> dict[str, Any]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (found,) = (one for one in settings["contracts"] if one.get("id") == name)
    return dict(found)


def test_no_folder_has_more_than_13_modules() -> None:
    counts = Counter(path.parent for path in [*modules(PACKAGE), *modules(ANALYSIS)])
    assert {folder: n for folder, n in counts.items() if n > MAX_MODULES} == {}


def test_no_module_but_a_table_has_more_than_220_lines() -> None:
    lines = {path: path.read_text().count("\n") for path in [*modules(PACKAGE), *modules(ANALYSIS)]}
    assert {path for path, n in lines.items() if n > MAX_LINES} == set(TABLES)


def test_no_function_has_more_than_40_lines() -> None:
    functions = (
        (path, node)
        for path in [*modules(PACKAGE), *modules(ANALYSIS)]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert [
        f"{path}:{node.lineno} {node.name}"
        for path, node in functions
        if (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES
    ] == []


def test_package_has_at_most_12_rooms_and_4_modules_at_its_top() -> None:
    rooms, files = names_in(PACKAGE)
    assert len(rooms) <= 12, rooms
    assert len(files) <= 4, files


def test_analysis_has_at_most_8_folders_and_3_files() -> None:
    folders, files = names_in(ANALYSIS)
    assert len(folders) <= 8, folders
    assert len(files | {"__init__"}) <= 3, files


@pytest.mark.parametrize(("name", "folder"), [("layers", PACKAGE), ("analysis-layers", ANALYSIS)])
def test_layers_of_the_import_contract_are_the_tree(name: str, folder: Path) -> None:
    settings = contract(name)
    assert settings["exhaustive"] is True
    modules = [*settings["layers"], *settings.get("exhaustive_ignores", ())]
    listed = set(re.findall(r"\w+", " ".join(modules)))
    folders, files = names_in(folder)
    links = {path.name for path in folder.iterdir() if path.is_symlink()}
    assert listed == folders | files | links


def test_unit_tests_mirror_the_modules() -> None:
    unit = TESTS / "unit"
    tested = [
        path.relative_to(unit).with_name(path.name.removeprefix("test_"))
        for path in unit.rglob("test_*.py")
    ]
    modules_or_packages = (PACKAGE / path for path in tested)
    assert [
        path
        for path in modules_or_packages
        if not (path.is_file() or path.with_suffix("").is_dir())
    ] == []


def test_files_that_share_a_slurm_are_recognised() -> None:
    """conftest.py sends all files that import from support.slurm_* to one worker."""
    for path in TESTS.rglob("test_*.py"):
        if SLURM_TYPES.search(path.read_text()):
            assert re.search(r"^from support\.slurm_", path.read_text(), re.MULTILINE), path


def test_unit_tests_start_no_process() -> None:
    """`make test-quick` takes 90 s because of this."""
    starts = re.compile(r"import subprocess|multiprocessing|\b(python|sweep|start)\w*\(.*cwd=")
    files = sorted((TESTS / "unit").rglob("test_*.py"))
    assert [path for path in files if starts.search(path.read_text())] == []
