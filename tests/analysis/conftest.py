"""Fixtures: folders of synthetic records (support/trial_factory.py), a table, the command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.trial_factory import Edit, Ladder, Runs, write_ladder

from clip_hparam.cli.analysis_app.analysis import main


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """Create an empty runs folder."""
    (tmp_path / "runs").mkdir()
    return Runs(tmp_path / "runs")


@pytest.fixture(scope="session")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    """Write a complete ladder once; tests must not change it."""
    runs = Runs(tmp_path_factory.mktemp("ladder") / "runs")
    return Ladder(runs, write_ladder(runs))


@pytest.fixture
def edit() -> Edit:
    """Return a function that changes a JSON file in place, as damage or another version would."""

    def change(path: Path, by: Callable[[dict[str, Any]], Any]) -> None:
        tree = json.loads(path.read_text())
        by(tree)
        path.write_text(json.dumps(tree))

    return change


@pytest.fixture
def results() -> pd.DataFrame:
    """Return 40 trials of known truth: lr matters most, aug a little, mixup has no effect."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({
        "run": [f"run {number}" for number in range(40)],
        "lr": 10 ** rng.uniform(-6, -3, 40),
        "mixup": rng.choice([0.0, 0.5, np.nan], 40),
        "aug": rng.choice(["weak", "strong"], 40),
    })  # fmt: skip
    gain = -((np.log10(rows["lr"]) + 4.5) ** 2) + 0.4 * (rows["aug"] == "weak")
    rows["top1"] = 80 + gain + rng.normal(0, 0.05, 40)
    rows["ood"] = 50 - gain + rng.normal(0, 0.5, 40)
    return rows


@pytest.fixture
def call(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs the command in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*argv: object) -> tuple[int, str, str]:
        try:
            code = main([str(word) for word in argv])
        except SystemExit as error:
            code = int(error.code or 0)
        output = capsys.readouterr()
        return code, output.out, output.err

    return run
