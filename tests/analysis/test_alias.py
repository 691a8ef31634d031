"""`analysis` is a short name for `clip_hparam.analysis`: the same modules, loaded once."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clip_hparam.analysis.figures import registry

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "analysis").rglob("*.py")
    if "notebooks" not in path.parts and path.name != "__main__.py"
)
MODULES = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in FILES]


def test_every_module_of_the_tree_is_compared() -> None:
    assert {"analysis", "analysis.frames", "analysis.frames.frame"} <= set(MODULES)
    assert len(MODULES) > 50


@pytest.mark.parametrize("name", MODULES)
def test_the_short_name_imports_the_installed_module(name: str) -> None:
    installed = importlib.import_module(f"clip_hparam.{name}")
    assert importlib.import_module(name) is installed
    assert installed.__name__ == f"clip_hparam.{name}"
    assert installed.__spec__ is not None
    assert installed.__spec__.name == f"clip_hparam.{name}"
    assert installed.__spec__.loader is installed.__loader__


def test_an_unknown_module_of_the_short_name_is_not_found() -> None:
    importlib.import_module("analysis")
    with pytest.raises(ModuleNotFoundError, match=r"analysis\.tabels"):
        importlib.import_module("analysis.tabels")


def run_python(*words: str) -> str:
    """Run Python in the repository root as a user does; return stdout."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


IMPORT_BOTH_NAMES = """
import sys
if {first!r} == "analysis":
    import analysis.figures.registry as short, analysis.tables.registry
import clip_hparam.analysis.figures.registry as installed, clip_hparam.analysis.tables.registry
import analysis, analysis.figures.registry as short, analysis.tables.registry
import clip_hparam.analysis
assert analysis is clip_hparam.analysis
assert short is installed
assert short.SWEEP_FIGURES is installed.SWEEP_FIGURES
assert analysis.tables.registry is clip_hparam.analysis.tables.registry
copies = {{id(module) for name, module in sys.modules.items() if name.endswith("figures.registry")}}
assert len(copies) == 1
print(len(installed.SWEEP_FIGURES))
"""


@pytest.mark.parametrize("first", ["analysis", "clip_hparam.analysis"])
def test_registries_hold_each_entry_once_whichever_name_is_imported_first(first: str) -> None:
    """A fresh process: in this one both names are imported already."""
    entries = int(run_python("-c", IMPORT_BOTH_NAMES.format(first=first)))
    assert entries == len(registry.SWEEP_FIGURES) > 0


def test_python_m_analysis_runs_from_the_repository_root() -> None:
    text = run_python("-m", "analysis", "--help")
    assert text.startswith("usage: python -m analysis")
    assert all(command in text for command in ("tables", "figures", "report", "import", "summary"))
