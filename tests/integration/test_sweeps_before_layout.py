"""Sweep files of commit 1391338, before modules moved, in a folder of the user's own."""

import shutil
from pathlib import Path

import pytest
from support.cli import ROOT, plan

BEFORE = ROOT / "tests" / "data" / "sweeps_before_layout"
PLANS = {
    "search": "30 points of 1 seed each",
    "raced": "40 trials: 0 done, 40 to do",
    "factorial": "48 trials: 0 done, 48 to do",
    "study": "screening: planned when the stages before it are done",
}


@pytest.mark.parametrize("name", PLANS)
def test_an_old_sweep_file_plans_the_trials_it_planned(name: str, tmp_path: Path) -> None:
    (tmp_path / "own" / "sweeps").mkdir(parents=True)
    shutil.copy(BEFORE / f"old_{name}.yaml", tmp_path / "own" / "sweeps")
    budget = ["budget=30m"] if name == "study" else []  # else it times three steps
    words = ("--config-dir", "own", "-m", f"sweeps=old_{name}", "dry_run=true", *budget)
    done = plan(*words, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert PLANS[name] in done.out
