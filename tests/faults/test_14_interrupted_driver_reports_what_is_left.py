"""Ctrl-C or clip-hparam cancel: the driver reports the open trials and leaves no process."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cli import alive, clip_hparam, records, start, start_clip_hparam, wait_until

LONG = ("-m", "lr=1e-3,2e-3,3e-3", "epochs=500", "workers=2", "machine.checkpoint_seconds=0")


def ctrl_c(driver: int, folder: Path) -> None:
    """Send SIGINT to the process group, as a terminal does."""
    os.killpg(driver, signal.SIGINT)


def cancel(driver: int, folder: Path) -> None:
    """Send SIGTERM to the driver alone, while one of its trials is stopped."""
    os.kill(records(folder)[0].status()["pid"], signal.SIGSTOP)
    done = clip_hparam("cancel", "lr", cwd=folder)
    assert f"driver {driver} and its trials of lr ended" in done.out, done.err


@pytest.mark.parametrize("how", [ctrl_c, cancel])
def test_interrupted_driver_reports_what_is_left(
    tmp_path: Path, how: Callable[[int, Path], None]
) -> None:
    driver = start(*LONG, cwd=tmp_path)
    wait_until(lambda: len(list(tmp_path.glob("runs/*/metrics.jsonl"))) == 2, while_runs=driver)
    pids = [record.status()["pid"] for record in records(tmp_path)]
    watch = start_clip_hparam("status", "--watch", cwd=tmp_path)
    assert watch.stdout is not None
    assert "2 running" in watch.stdout.readline()
    how(driver.pid, tmp_path)
    _, err = driver.communicate(timeout=120)
    assert driver.returncode == 130
    assert err == "interrupted: 3 of 3 trials are left; run the same command again to continue\n"
    assert not any(alive(pid) for pid in pids)
    assert {record.status()["state"] for record in records(tmp_path)} == {"cancelled"}
    assert "2 cancelled, 1 planned" in watch.communicate(timeout=120)[0]
    assert watch.returncode == 0
    assert clip_hparam("cancel", "lr", cwd=tmp_path).out == "no trial of lr is running\n"
