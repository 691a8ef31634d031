"""A distribution with entry points on sys.path, as pip would leave it, without installing it."""

import shutil
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.cli import ROOT


def install_fake(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    entry_points: Mapping[str, Mapping[str, str]],
) -> None:
    """Put the package fake_plugin with this code and these entry points on sys.path.

    entry_points: by group, the name in the package by the name of the entry point.
    """
    (folder / "fake_plugin.py").write_text(code)
    info = folder / "fake_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-plugin\nVersion: 1.0\n")
    lines = [
        line
        for group, names in entry_points.items()
        for line in (
            f"[{group}]",
            *(f"{name} = fake_plugin:{target}" for name, target in names.items()),
        )
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "fake_plugin", raising=False)


def install_example(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the package of docs/examples on sys.path with the metadata that pip would write."""
    source = ROOT / "docs" / "examples" / "clip_hparam_flowers"
    project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
    shutil.copytree(source / "src", folder)
    info = folder / "clip_hparam_flowers-1.0.dist-info"
    info.mkdir()
    name, version = project["name"], project["version"]
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{point} = {target}" for point, target in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(folder))
