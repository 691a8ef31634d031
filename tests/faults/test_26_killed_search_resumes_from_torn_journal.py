"""A search is killed and its journal truncated: the same command finishes the search."""

import json
import os
import signal
from pathlib import Path

from support.cli import records, start, sweep_process, wait_until
from support.metrics_rows import count_of_last_epoch

WORDS = (
    *("-m", "sweeps=search", "hydra.sweeper.n_trials=5", "hydra.sweeper.pruner=none"),
    *("epochs=4", "data.epoch_images=200", "workers=2", "machine.checkpoint_seconds=0"),
)


def saved_folders(folder: Path) -> list[Path]:
    return [r.folder for r in records(folder) if any(r.folder.glob("checkpoint/*.sha256"))]


def test_killed_search_finishes_without_losing_a_trial(tmp_path: Path) -> None:
    driver = start(*WORDS, cwd=tmp_path)
    wait_until(lambda: any(tmp_path.rglob("result.json")) and bool(saved_folders(tmp_path)))
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    (journal,) = tmp_path.rglob("study.journal")
    journal.write_bytes(journal.read_bytes()[:-7])
    done = {record.trial_id for record in records(tmp_path) if record.is_done()}
    logged = {
        record.trial_id: count_of_last_epoch(record, 4, resumes=record.trial_id not in done)
        for record in records(tmp_path)
    }
    again = sweep_process(*WORDS, cwd=tmp_path)
    assert again.code == 0, again.err
    assert "5 points: 5 done" in again.out
    for record in records(tmp_path):
        assert record.is_done()
        log = (record.folder / "log.txt").read_text()
        assert log.count("epoch 4/4") == logged.get(record.trial_id, 1)
        assert record.status()["attempt"] == 1 or record.trial_id not in done
    (manifest,) = (tmp_path / "runs" / ".sweeps").glob("*.json")
    numbers = [cell["number"] for cell in json.loads(manifest.read_text())["cells"]]
    assert numbers == list(range(5))
    assert states(journal) == {1}


def states(journal: Path) -> set[int]:
    """Return the states of all trials in Optuna's journal; 1 is COMPLETE."""
    last: dict[int, int] = {}
    for line in map(json.loads, journal.read_text().splitlines()):
        if line["op_code"] == 4:
            last[len(last)] = line.get("state", 0)
        if line["op_code"] == 6:
            last[line["trial_id"]] = line["state"]
    return set(last.values())


def test_killed_worker_is_retried_and_the_search_finishes(tmp_path: Path) -> None:
    driver = start(*WORDS, "retries=1", cwd=tmp_path)
    wait_until(lambda: bool(saved_folders(tmp_path)))
    victim = json.loads((saved_folders(tmp_path)[0] / "status.json").read_text())
    os.kill(victim["pid"], signal.SIGKILL)
    out, err = driver.communicate(timeout=500)
    assert driver.returncode == 0, err
    assert "5 points: 5 done" in out
    (journal,) = tmp_path.rglob("study.journal")
    assert states(journal) == {1}
