"""A design file with equal labels or a wrong shape runs nothing."""

from pathlib import Path

import pytest
from support.cli import plan

EQUAL_LABELS = """
name: twins
kind: list
steps:
  - {label: a, overrides: [lr=3e-3]}
  - {label: a, overrides: [lr=1e-2]}
"""
NO_LIST = "name: mine\nkind: grid\nbase: recipe=llrd\nknobs: {lr: [1e-3]}\n"
NO_LEVELS = "name: mine\nkind: one_at_a_time\nknobs: {lr: []}\n"
BAD_NAME = 'name: "lr sweep"\nkind: grid\nknobs: {lr: [1e-3]}\n'
NO_LABEL = "name: mine\nkind: list\nsteps: [{overrides: [lr=1e-3]}]\n"


@pytest.mark.parametrize(
    ("design", "sentence"),
    [
        (EQUAL_LABELS, "2 steps are called 'a'"),
        (NO_LIST, "base is 'recipe=llrd': write a list of overrides"),
        (NO_LEVELS, "knob lr has no level"),
        (BAD_NAME, "name 'lr sweep' cannot name a file"),
        (NO_LABEL, "step 1 (no label) has no label"),
    ],
    ids=["R2 equal labels", "R4 base", "R4 levels", "R4 name", "R4 label"],
)
def test_a_wrong_design_file_runs_nothing(design: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "sweeps").mkdir()
    text = "".join(f"  {line}\n" for line in design.strip().splitlines())
    (tmp_path / "sweeps" / "mine.yaml").write_text(f"# @package hydra.sweeper\ndesign:\n{text}")
    done = plan("-m", "sweeps=mine", f"hydra.searchpath=[file://{tmp_path}]", cwd=tmp_path)
    assert done.code == 2
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "runs").exists()
