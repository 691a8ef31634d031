"""One trial and sweeps of them, by the command line, with real training and real kills."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from commands import SHORT, python, start, sweep

from clip_hparam.records import Record, trial_ids

GRID = ("-m", "lr=1e-3,3e-3", "layer_decay=0.65,1", "seeds=2", *SHORT)
LONG = ("-m", "lr=1e-3,2e-3,3e-3", "epochs=500", "machine.checkpoint_seconds=0")


def records(folder: Path) -> list[Record]:
    return [Record(folder / "runs", name) for name in trial_ids(folder / "runs")]


def results(folder: Path) -> dict[str, str]:
    """Trial id -> sealed metrics as text, of the trials that are done."""
    sealed = {record.trial_id: record.result() for record in records(folder)}
    return {name: json.dumps(result["metrics"]) for name, result in sealed.items() if result}


def wait_until(condition, seconds: float = 60) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """A process that runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("a folder")
    done = sweep(*GRID, cwd=folder)
    assert done.code == 0, done.err
    return folder


def test_a_trial_leaves_the_folder_of_the_contract(tmp_path: Path) -> None:
    done = sweep("lr=2e-3", "seed=3", *SHORT, cwd=tmp_path)
    assert done.code == 0, done.err
    (record,) = records(tmp_path)
    result, recipe = record.result(), record.recipe()
    assert result is not None
    assert recipe is not None
    assert (recipe["recipe"]["lr"], recipe["recipe"]["seed"]) == (2e-3, 3)
    assert record.damage() == []
    assert [row["epoch"] for row in record.rows()] == [0]
    reported = result["metrics"]["test_acc1.ema.selected"]
    bits = np.load(record.folder / "correct.npz")
    right = np.unpackbits(bits["acc1.ema.selected"], count=int(bits["n"]))
    assert right.mean() * 100 == pytest.approx(reported)
    assert f"{reported:.2f} %" in done.out
    assert result["metrics"]["test_acc1.zero_shot"] > 12
    assert result["versions"]["torch"]
    log = (record.folder / "log.txt").read_text()
    assert "epoch 1/1" in log
    assert "epoch 1/1" in done.out


def test_a_trial_that_is_done_is_said_to_be_and_left_alone(grid: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in grid.rglob("*.json")}
    one = sweep("lr=1e-3", "layer_decay=1", "seed=1", *SHORT, cwd=grid)
    assert one.code == 0, one.err
    assert "is done already" in one.out
    assert {path: path.stat().st_mtime_ns for path in grid.rglob("*.json")} == before


def test_a_grid_runs_every_cell_with_every_seed(grid: Path) -> None:
    recipes = [tree["recipe"] for record in records(grid) if (tree := record.recipe())]
    cells = {tuple(tree[knob] for knob in ("lr", "layer_decay", "seed")) for tree in recipes}
    assert len(cells) == len(recipes) == 8
    (manifest,) = (grid / "runs" / ".sweeps").glob("*.json")
    planned = json.loads(manifest.read_text())
    ids = [trial for cell in planned["cells"] for trial in cell["trials"].values()]
    assert sorted(ids) == sorted(results(grid))
    assert planned["cells"][0]["overrides"] == [*SHORT, "lr=0.001", "layer_decay=0.65"]


def test_the_same_sweep_again_runs_nothing(grid: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in grid.rglob("result.json")}
    again = sweep(*reversed(GRID), cwd=grid)
    assert again.code == 0, again.err
    assert {path: path.stat().st_mtime_ns for path in grid.rglob("result.json")} == before


def test_a_cell_is_run_again_by_its_overrides(grid: Path, tmp_path: Path) -> None:
    (manifest,) = (grid / "runs" / ".sweeps").glob("*.json")
    cell = json.loads(manifest.read_text())["cells"][1]
    done = sweep(*cell["overrides"], "seed=1", cwd=tmp_path)
    assert done.code == 0, done.err
    assert results(tmp_path) == {cell["trials"]["1"]: results(grid)[cell["trials"]["1"]]}


def test_a_failed_trial_stops_no_other_and_runs_again(grid: Path, tmp_path: Path) -> None:
    victim = sorted(results(grid))[0]
    obstacle = tmp_path / "runs" / victim / "correct.npz"
    obstacle.mkdir(parents=True)  # its bits cannot be written
    done = sweep(*GRID, cwd=tmp_path)
    assert done.code == 1
    assert victim in done.out
    assert len(results(tmp_path)) == 7
    failure = Record(tmp_path / "runs", victim).failure()
    assert failure is not None
    assert failure["kind"] == "error"
    obstacle.rmdir()
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("result.json")}
    assert sweep(*GRID, cwd=tmp_path).code == 0
    assert results(tmp_path) == results(grid)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_a_trial_that_diverges_is_named_with_its_step(tmp_path: Path) -> None:
    done = sweep("-m", "lr=1e-3,1e30", "warmup=0", "epochs=1", cwd=tmp_path)
    assert done.code == 1
    assert "diverged at step" in done.out
    states = sorted(record.status()["state"] for record in records(tmp_path))
    assert states == ["diverged", "done"]


def test_workers_die_with_a_killed_driver_and_the_sweep_goes_on(tmp_path: Path) -> None:
    command = ("-m", "seeds=2", "epochs=6", "machine.checkpoint_seconds=0")
    driver = start(*command, cwd=tmp_path)
    wait_until(lambda: len(list(tmp_path.rglob("step_*.sha256"))) >= 2)
    pids = [record.status()["pid"] for record in records(tmp_path)]
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    wait_until(lambda: not any(alive(pid) for pid in pids), seconds=2)
    assert results(tmp_path) == {}
    again = sweep(*command, cwd=tmp_path)
    assert again.code == 0, again.err
    logs = [path.read_text() for path in tmp_path.rglob("log.txt")]
    assert all("going on after epoch" in log for log in logs)
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    assert sweep(*command, cwd=undisturbed).code == 0
    assert results(tmp_path) == results(undisturbed)


def test_ctrl_c_says_what_is_left_and_a_second_driver_is_refused(tmp_path: Path) -> None:
    driver = start(*LONG, cwd=tmp_path)
    wait_until(lambda: any(tmp_path.rglob("metrics.jsonl")))
    second = sweep(*LONG, cwd=tmp_path)
    assert second.code == 2
    assert "another live process" in second.err
    os.killpg(driver.pid, signal.SIGINT)
    _, err = driver.communicate(timeout=20)
    assert driver.returncode == 130
    assert "3 of 3 trials are left; the same command goes on with them" in err


def test_help_and_plans_import_no_training_stack(tmp_path: Path) -> None:
    code = (
        "import sys; from clip_hparam.app import main; sys.argv[1:] = WORDS; code = main();"
        "heavy = sorted({'torch', 'timm', 'open_clip', 'pandas'} & set(sys.modules));"
        "assert not heavy, heavy; sys.exit(code)"
    )
    for words in (["--help"], ["-m", "sweeps=ladder", "dry_run=true"], ["--cfg", "job"]):
        done = python("-c", code.replace("WORDS", repr(words)), cwd=tmp_path)
        assert done.code == 0, done.err
    assert list(tmp_path.iterdir()) == []
