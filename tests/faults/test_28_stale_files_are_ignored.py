"""Temporary files and locks of killed processes are ignored, and no result is lost."""

from collections.abc import Callable
from pathlib import Path

from support.cli import Done, results

STALE_FILES = (".lock", ".result.json.x1y2z3", "1_0_result.pkl.save_tmp")


def test_trial_runs_among_stale_files(sweep_copy: Path, rerun: Callable[[Path], Done]) -> None:
    before = results(sweep_copy)
    folder = sweep_copy / "runs" / next(iter(before))
    (folder / "result.json").unlink()
    (sweep_lock,) = (sweep_copy / "runs" / ".sweeps").glob("*.lock")
    for path in (sweep_lock, *(folder / name for name in STALE_FILES)):
        path.write_text("999999\n")  # id of a process that has exited
    done = rerun(sweep_copy)
    assert done.code == 0, done.err
    assert results(sweep_copy) == before
