"""Brackets in a label are text, in the plan and in the table at the end."""

from pathlib import Path

import pytest
from support.cli import SHORT, sweep

DESIGN = """
# @package hydra.sweeper.design
name: brackets
kind: list
steps:
  - {label: "lr [small]", overrides: [lr=1e-3]}
  - {label: "[/x] y", overrides: [lr=3e-3]}
  - {label: "[bold]z", overrides: [lr=1e-2]}
"""
LABELS = ("lr [small]", "[/x] y", "[bold]z")


@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_brackets_in_labels_are_printed(dry_run: str, tmp_path: Path) -> None:
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "brackets.yaml").write_text(DESIGN.lstrip())
    done = sweep(
        *("-m", "sweeps=brackets", "seeds=1", *SHORT, f"dry_run={dry_run}"),
        f"hydra.searchpath=[file://{tmp_path}]",
        cwd=tmp_path,
        COLUMNS="160",
    )
    assert done.code == 0, done.err
    rows = [line for line in done.out.splitlines() if any(label in line for label in LABELS)]
    assert len(rows) >= len(LABELS)
    for label in LABELS:
        assert label in done.out
