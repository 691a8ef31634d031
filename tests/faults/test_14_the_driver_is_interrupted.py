"""Ctrl-C, or SIGTERM to the driver alone: it says what is left, and leaves nothing running."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import alive, records, start, wait_until

LONG = ("-m", "lr=1e-3,2e-3,3e-3", "epochs=500", "workers=2", "machine.checkpoint_seconds=0")
SIGNALS: dict[str, Callable[[int], None]] = {
    "Ctrl-C reaches the whole group": lambda pid: os.killpg(pid, signal.SIGINT),
    "SIGINT to the driver": lambda pid: os.kill(pid, signal.SIGINT),
    "SIGTERM to the driver": lambda pid: os.kill(pid, signal.SIGTERM),
}


@pytest.mark.parametrize("how", SIGNALS)
def test_an_interrupted_driver_says_what_is_left(tmp_path: Path, how: str) -> None:
    driver = start(*LONG, cwd=tmp_path)
    wait_until(lambda: len(list(tmp_path.rglob("metrics.jsonl"))) == 2)
    pids = [record.status()["pid"] for record in records(tmp_path)]
    SIGNALS[how](driver.pid)
    _, err = driver.communicate(timeout=20)
    assert driver.returncode == 130
    assert err == "interrupted: 3 of 3 trials are left; the same command goes on with them\n"
    assert not any(alive(pid) for pid in pids)
    assert {record.status()["state"] for record in records(tmp_path)} == {"cancelled"}
