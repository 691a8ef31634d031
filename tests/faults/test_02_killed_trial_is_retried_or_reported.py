"""The process of a trial is killed: the trial is retried, or lost with its signal recorded."""

import os
import signal
from pathlib import Path

import pytest
from support.cli import records, results, start, wait_until

from clip_hparam.records.record import Record

TWO = (
    *("-m", "lr=1e-3,2e-3", "epochs=8", "data.epoch_images=200"),
    *("workers=2", "machine.checkpoint_seconds=0"),
)


def saved(record: Record) -> bool:
    return any(record.folder.glob("checkpoint/*.sha256"))


@pytest.mark.parametrize("retries", [0, 1])
def test_killed_trial_is_retried_or_reported(tmp_path: Path, retries: int) -> None:
    driver = start(*TWO, f"retries={retries}", cwd=tmp_path)
    wait_until(lambda: len(records(tmp_path)) == 2 and all(map(saved, records(tmp_path))))
    victim = records(tmp_path)[0]
    os.kill(victim.status()["pid"], signal.SIGKILL)
    if not retries:
        wait_until(lambda: victim.status()["state"] == "lost", seconds=30)
    out, err = driver.communicate(timeout=60)
    assert driver.returncode == 1 - retries, err
    assert len(results(tmp_path)) == 1 + retries
    if retries:
        assert "resuming after" in (victim.folder / "log.txt").read_text()
    else:
        assert f"{victim.trial_id} lost: the process ended unexpectedly: signal 9" in out
        failure = victim.failure() or {}
        assert (failure["kind"], failure["signal"], failure["exit_code"]) == ("lost", 9, -9)
        assert "often sent by the kernel's out-of-memory killer" in failure["message"]
        assert "type workers=1 or machine.micro_batch=" in failure["message"]
