"""One process of a trial dies: the trial is lost in time, the process named, the others go on."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from commands import alive, records, results, start, sweep, wait_until

from clip_hparam.records import Record

TRIAL = ("epochs=8", "batch_size=50", "gpus_per_trial=2", "machine.checkpoint_seconds=0")
TWO = ("-m", "lr=1e-3,2e-3", *TRIAL, "machine.rank_timeout=20", "workers=2", "retries=0")


def saved(record: Record) -> bool:
    return any(record.folder.glob("checkpoint/*.sha256"))


def second_process(record: Record) -> int:
    (pid,) = re.findall(r"rank 1 of 2 is process (\d+)", (record.folder / "log.txt").read_text())
    return int(pid)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_trial_whose_rank_dies_or_hangs_names_it_and_goes_on_later(
    tmp_path: Path, how: signal.Signals
) -> None:
    driver = start(*TWO, cwd=tmp_path)
    wait_until(lambda: len(records(tmp_path)) == 2 and all(map(saved, records(tmp_path))))
    victim, other = records(tmp_path)
    pid = second_process(victim)
    os.kill(pid, how)
    killed = time.monotonic()
    wait_until(lambda: victim.status()["state"] == "lost", seconds=60)
    assert time.monotonic() - killed < (15 if how is signal.SIGKILL else 50)
    out, err = driver.communicate(timeout=120)
    assert driver.returncode == 1, err
    assert f"{victim.trial_id} lost: rank 1 of 2 (process {pid} on " in out
    assert not alive(pid)
    assert list(results(tmp_path)) == [other.trial_id]
    assert sweep(*TWO, cwd=tmp_path).code == 0
    assert "going on after epoch" in (victim.folder / "log.txt").read_text()
    assert len(results(tmp_path)) == 2


def test_the_ranks_of_a_killed_trial_die_with_it(tmp_path: Path) -> None:
    driver = start(*TRIAL, cwd=tmp_path)
    wait_until(lambda: any(map(saved, records(tmp_path))))
    pid = second_process(records(tmp_path)[0])
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    wait_until(lambda: not alive(pid), seconds=2)
