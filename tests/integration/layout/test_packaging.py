"""What setup.cfg declares: the packages of the tree, and each third-party import."""

import ast
import re
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.metadata import packages_distributions
from pathlib import Path

from setuptools import find_namespace_packages
from support.cli import ROOT

SRC = ROOT / "src"
PACKAGE = SRC / "clip_hparam"
TRACKERS = {"tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow-skinny"}
"""Packages of extras, which no test of CI installs, and the distributions that bring them."""
OWN = {"clip_hparam", "hydra_plugins", "analysis"}


def settings() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(text: str) -> set[str]:
    """Return the names of the distributions in a block of requirements."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {canonical(re.split(r"[\[<>=!~ ]", line)[0]) for line in lines}


def folders_with_files() -> set[str]:
    """Return the dotted names of all folders below src that hold files; links are followed."""

    def walk(folder: Path) -> Iterator[Path]:
        for path in folder.iterdir():
            if path.is_dir() and path.name != "__pycache__" and not path.name.endswith(".egg-info"):
                yield from walk(path)
            elif path.is_file():
                yield folder

    return {".".join(folder.relative_to(SRC).parts) for folder in walk(SRC)} - {""}


def imported_names(path: Path) -> Iterator[str]:
    """Yield the top-level name of each absolute import of a file, lazy imports included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def test_packages_of_the_wheel_are_the_folders_of_the_tree() -> None:
    find = settings()["options.packages.find"]
    packages = find_namespace_packages(str(ROOT / find["where"]), find["exclude"].split())
    listed = {name for name in packages if "__pycache__" not in name and "egg-info" not in name}
    expected = {name for name in folders_with_files() if not name.endswith(".notebooks")}
    assert expected <= listed
    only_folders = {name for name in listed if any(n.startswith(f"{name}.") for n in expected)}
    assert listed <= expected | only_folders
    assert {"clip_hparam.analysis.frames", "clip_hparam.cli.hydra_app.conf"} <= listed


def test_each_third_party_import_is_declared() -> None:
    declared = requirements(settings()["options"]["install_requires"])
    files = [*SRC.rglob("*.py"), *(ROOT / "analysis").rglob("*.py")]
    names = {
        (name, path.relative_to(ROOT))
        for path in files
        if "notebooks" not in path.parts
        for name in imported_names(path)
    }
    distributions = packages_distributions()
    extras = settings()["options.extras_require"]
    of_trackers = {name for extra in TRACKERS for name in requirements(extras[extra])}
    in_trackers = {
        one.relative_to(ROOT) for one in (PACKAGE / "training/callbacks/trackers").iterdir()
    }
    undeclared = {
        f"{path}: {name}"
        for name, path in names
        if name not in OWN | set(sys.stdlib_module_names)
        and not {canonical(each) for each in distributions.get(name, [name])} & declared
        and not (path in in_trackers and TRACKERS.get(name, "") in of_trackers)
    }
    assert undeclared == set()
