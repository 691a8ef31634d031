"""Folders of synthetic records (support/trial_factory.py) for the tests of the analysis."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.trial_factory import Edit, Ladder, Runs, write_ladder


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    (tmp_path / "runs").mkdir()
    return Runs(tmp_path / "runs")


@pytest.fixture(scope="session")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    """A complete ladder, read-only by convention."""
    runs = Runs(tmp_path_factory.mktemp("ladder") / "runs")
    return Ladder(runs, write_ladder(runs))


@pytest.fixture
def edit() -> Edit:
    """Change a JSON file in place, as a vandal or another version would."""

    def change(path: Path, by: Callable[[dict[str, Any]], Any]) -> None:
        tree = json.loads(path.read_text())
        by(tree)
        path.write_text(json.dumps(tree))

    return change
