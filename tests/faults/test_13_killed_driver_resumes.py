"""The driver is killed: its trials exit, and the same command ends in the same bits."""

import os
import signal
from pathlib import Path

from support.cli import alive, records, results, start, sweep, sweep_process, wait_until
from support.metrics_rows import count_of_last_epoch

THREE = (
    *("-m", "seeds=3", "epochs=6", "data.epoch_images=200"),
    *("workers=2", "machine.checkpoint_seconds=0"),
)


def some_are_done_and_others_saved(folder: Path) -> bool:
    """Return whether a trial is done, and another has a checkpoint and half of its epochs left."""
    done = results(folder)
    others = [record for record in records(folder) if record.trial_id not in done]
    checkpoints = (
        record.folder.glob("checkpoint/*.sha256") for record in others if len(record.rows()) <= 3
    )
    return bool(done) and any(any(paths) for paths in checkpoints)


def test_killed_sweep_resumes_and_equals_undisturbed(tmp_path: Path) -> None:
    driver = start(*THREE, cwd=tmp_path)
    wait_until(lambda: some_are_done_and_others_saved(tmp_path))
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    pids = [record.status()["pid"] for record in records(tmp_path)]
    wait_until(lambda: not any(alive(pid) for pid in pids), seconds=2)
    before = results(tmp_path)
    attempts = {record.trial_id: record.status()["attempt"] for record in records(tmp_path)}
    assert 0 < len(before) < 3
    logged = {
        record.trial_id: count_of_last_epoch(record, 6, resumes=record.trial_id not in before)
        for record in records(tmp_path)
    }
    again = sweep_process(*THREE, cwd=tmp_path)
    assert again.code == 0, again.err
    for record in records(tmp_path):
        log = (record.folder / "log.txt").read_text()
        more = 0 if record.trial_id in before else 1
        assert record.status()["attempt"] == attempts.get(record.trial_id, 0) + more
        assert log.count("epoch 6/6") == logged.get(record.trial_id, 1)
    assert any("resuming after" in path.read_text() for path in tmp_path.rglob("log.txt"))
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    assert sweep(*THREE, cwd=undisturbed).code == 0
    assert results(tmp_path) == results(undisturbed)
