"""A rank of a trial is killed or hangs: the trial is lost, its message names the rank."""

import os
import re
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.cli import alive, records, results, start, sweep, wait_until

from clip_hparam.records.record import Record

TRIAL = (
    "data.epoch_images=200",
    "batch_size=50",
    "gpus_per_trial=2",
    "machine.checkpoint_seconds=0",
)
TWO = ("-m", "epochs=1,8", *TRIAL, "machine.rank_timeout=10", "workers=1", "retries=0")


def saved(folder: Path, epochs: int = 8) -> list[Record]:
    """Return the trials of `epochs` epochs that have a checkpoint."""
    return [
        record
        for record in records(folder)
        if any(record.folder.glob("checkpoint/*.sha256"))
        and (record.recipe() or {})["recipe"]["epochs"] == epochs
    ]


def pid_of_rank_1(record: Record) -> int:
    (pid,) = re.findall(r"rank 1 of 2 is process (\d+)", (record.folder / "log.txt").read_text())
    return int(pid)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_trial_with_a_lost_rank_is_lost_and_names_the_rank(
    tmp_path: Path, how: signal.Signals
) -> None:
    driver = start(*TWO, cwd=tmp_path)
    wait_until(lambda: bool(saved(tmp_path)))
    (victim,) = saved(tmp_path)
    pid = pid_of_rank_1(victim)
    os.kill(pid, how)
    killed = datetime.now(UTC)
    out, err = driver.communicate(timeout=240)  # the other trial runs after the lost one
    failure = victim.failure() or {}
    # rank_timeout, 10 s more where a rank hangs, and the exit reasons of the ranks
    assert datetime.fromisoformat(failure["time"]) - killed < timedelta(seconds=40)
    assert driver.returncode == 1, err
    assert f"{victim.trial_id} lost: rank 1 of 2 (process {pid} on " in out
    assert not alive(pid)
    assert failure["kind"] == "lost"
    assert len(results(tmp_path)) == 1
    if how is signal.SIGKILL:
        ended = "; rank 1 ended by signal 9 (SIGKILL), often sent by the kernel's out-of-"
        assert ended in failure["message"]
        assert sweep(*TWO, cwd=tmp_path).code == 0
        assert "resuming after" in (victim.folder / "log.txt").read_text()


def test_ranks_of_a_killed_trial_exit(tmp_path: Path) -> None:
    driver = start(*TRIAL, "epochs=8", cwd=tmp_path)
    wait_until(lambda: bool(saved(tmp_path)))
    pid = pid_of_rank_1(saved(tmp_path)[0])
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    wait_until(lambda: not alive(pid), seconds=2)
