"""A distribution with entry points on sys.path, as pip would leave it, without installing it."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest


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
