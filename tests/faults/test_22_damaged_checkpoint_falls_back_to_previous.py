"""A checkpoint is truncated, empty or has a flipped bit: the trial resumes from the previous."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from support.cli import records, results, start, sweep, sweep_process, wait_until

from clip_hparam.records.record import Record

THREE = (
    *("-m", "seeds=3", "epochs=15", "data.epoch_images=200"),
    *("workers=3", "machine.checkpoint_seconds=0"),
)


def checkpoints(record: Record) -> list[Path]:
    """Return the checkpoints that have their sha256, oldest first."""
    return [path.with_suffix("") for path in sorted(record.folder.glob("checkpoint/*.sha256"))]


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE: tuple[Callable[[Path], None], ...] = (truncate, empty, flip)


def test_damaged_checkpoint_resumes_from_the_previous_with_the_same_bits(tmp_path: Path) -> None:
    driver = start(*THREE, cwd=tmp_path)
    wait_until(lambda: sum(len(checkpoints(r)) >= 2 for r in records(tmp_path)) == 3)
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    wait_until(lambda: not results(tmp_path), seconds=1)
    for damage, record in zip(DAMAGE, records(tmp_path), strict=True):
        damage(checkpoints(record)[-1])
    again = sweep_process(*THREE, cwd=tmp_path)
    assert again.code == 0, again.err
    for record in records(tmp_path):
        log = (record.folder / "log.txt").read_text()
        assert "is damaged: going back to the one before" in log
        assert "resuming after" in log
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    assert sweep(*THREE, cwd=undisturbed).code == 0
    assert results(tmp_path) == results(undisturbed)
