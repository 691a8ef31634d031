"""TensorBoard, wandb and MLflow themselves, without a network, in an environment of their own."""

import json
import os
import subprocess
import sys
import sysconfig
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
from support.cli import ROOT

TRACKERS = ("tensorboard", "wandb", "mlflow")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with this one's packages and those of the extras."""
    folder = tmp_path_factory.mktemp("trackers") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "tested.pth").write_text(sysconfig.get_path("purelib") + "\n")
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg")
    extras = parser["options.extras_require"]
    packages = [line for name in TRACKERS for line in extras[name].split()]
    made = folder / "bin" / "python"
    subprocess.run([made, "-m", "pip", "install", "--quiet", *packages], check=True)
    return made


def run(python: Path, what: str, folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what the trackers stored: by tracker and name of the run."""
    path = os.pathsep.join(map(str, (ROOT / "src", ROOT / "tests")))
    home = folder / "home"
    home.mkdir(parents=True)
    environment = {**os.environ, "PYTHONPATH": path, "HOME": str(home)}
    for name in [name for name in environment if name.startswith(("WANDB_", "MLFLOW_"))]:
        del environment[name]
    done = subprocess.run(
        [python, "-m", "support.real_trackers", what, folder],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    stored: dict[str, dict[str, dict[str, Any]]] = json.loads(done.stdout.splitlines()[-1])
    assert sorted(stored) == sorted(TRACKERS)
    return stored


def secrets_in(folder: Path) -> list[Path]:
    """Return the files that hold the folder of this test, which stands for any private path."""
    files = [path for path in (folder / "runs" / ".trackers").rglob("*") if path.is_file()]
    binary = (path for path in files if path.suffix not in (".log", ".db", ".json"))
    return [path for path in binary if str(folder).encode() in path.read_bytes()]


def test_a_stopped_and_resumed_trial_is_one_run(python: Path, tmp_path: Path) -> None:
    stored = run(python, "live", tmp_path)
    (record,) = tmp_path.glob("runs/*/metrics.jsonl")
    rows = [json.loads(line) for line in record.read_text().splitlines()]
    expected = [[row["step"], round(row["train_loss"], 4)] for row in rows]
    result = json.loads((record.parent / "result.json").read_text())
    for tracker, runs in stored.items():
        ((name, found),) = runs.items()
        assert name.endswith(record.parent.name), tracker
        assert found["loss"] == [pytest.approx(point, abs=2e-4) for point in expected], tracker
        assert found["final"] == pytest.approx(result["metrics"]["test_acc1.raw.selected"])
        assert (found["group"], found["epochs"]) == ("single", 2)
    assert stored["mlflow"][next(iter(stored["mlflow"]))]["status"] == "FINISHED"
    assert secrets_in(tmp_path) == []


def test_records_are_sent_once(python: Path, tmp_path: Path) -> None:
    stored = run(python, "sync", tmp_path)
    for tracker, runs in stored.items():
        assert len(runs) == 2, tracker
        for name, found in runs.items():
            assert name.replace("_", " ").startswith("lr=0.001 seed="), tracker
            assert found["group"] == "lr"
            assert [step for step, _ in found["loss"]] == [15, 30, 45]
            assert found["final"] in (pytest.approx(95.0), pytest.approx(96.0))
