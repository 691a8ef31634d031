"""A runs folder written at commit 1391338, before modules moved: it reads, resumes and tabulates.

tests/data/runs_before_layout/records holds a grid of 2 cells x 2 seeds, a search of 4 points and a
trial that was interrupted after 4 of 24 epochs (its checkpoint is that of epoch 3);
tables/ holds what `python -m analysis tables` wrote from them at that commit; search.* was written
again when tables of one seed got intervals over test images, lr_classes.* when a zero difference
lost its sign and the note said when a cell has no ±.
"""

import json
import shutil
from pathlib import Path

import pytest
from support.cli import ROOT, clip_hparam, plan, sweep

BEFORE = ROOT / "tests" / "data" / "runs_before_layout"
SMALL = ("epochs=2", "data.epoch_images=100", "data.shots=5", "freeze=backbone")
GRID = ("-m", "lr=1e-4,1e-2", "layer_decay=0.7", *SMALL, "seeds=2")
SEARCH = ("-m", "sweeps=search", "hydra.sweeper.n_trials=4", *SMALL, "seeds=1")
INTERRUPTED = (
    "lr=2e-3",
    "layer_decay=0.65",
    "epochs=24",
    *SMALL[1:],
    "ema_decay=0",
    "machine.checkpoint_seconds=0",
)
INTERRUPTED_ID = "668fdeace0cd"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(BEFORE / "records", tmp_path / "runs")
    return tmp_path


def test_tables_of_old_records_have_the_same_bytes(folder: Path) -> None:
    done = clip_hparam("tables", cwd=folder)
    assert done.code == 0, done.err
    expected = {path.name: path.read_text() for path in (BEFORE / "tables").iterdir()}
    assert len(expected) == 12
    written = {name: (folder / "results" / name).read_text() for name in expected}
    assert written == expected


@pytest.mark.parametrize(
    ("command", "sweep_id"),
    [(GRID, "0d96873bdc79"), (SEARCH, "61e67d125c94")],
    ids=["grid", "search"],
)
def test_the_command_of_an_old_sweep_finds_every_trial_done(
    command: tuple[str, ...], sweep_id: str, folder: Path
) -> None:
    before = sorted(path.name for path in (folder / "runs").iterdir())
    done = sweep(*command, cwd=folder)
    assert done.code == 0, done.err
    assert sweep_id in done.out
    assert sorted(path.name for path in (folder / "runs").iterdir() if path.is_dir()) == [
        name for name in before if (folder / "runs" / name).is_dir()
    ]


def test_an_old_checkpoint_resumes(folder: Path) -> None:
    trial = folder / "runs" / INTERRUPTED_ID
    old = (trial / "metrics.jsonl").read_text().splitlines()[:3]
    done = plan(*INTERRUPTED, cwd=folder)
    assert done.code == 0, done.err
    assert "resuming after epoch 3" in (trial / "log.txt").read_text()
    rows = (trial / "metrics.jsonl").read_text().splitlines()
    assert rows[:3] == old
    assert len(rows) == 24
    metrics = json.loads((trial / "result.json").read_text())["metrics"]
    # 67.08 on the machine of the fixture; another processor may round a few of 896 images apart
    assert metrics["test_acc1.raw.selected"] == pytest.approx(67.08, abs=1.0)
