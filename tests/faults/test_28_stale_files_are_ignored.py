"""Temporary files and locks of processes that were killed: passed over, and no result is lost."""

from collections.abc import Callable
from pathlib import Path

from support.cli import Done, results

LEFT_BY_A_TRIAL = (".lock", ".result.json.x1y2z3", "1_0_result.pkl.save_tmp")


def test_a_trial_is_done_among_stale_files(sweep_copy: Path, rerun: Callable[[Path], Done]) -> None:
    before = results(sweep_copy)
    folder = sweep_copy / "runs" / next(iter(before))
    (folder / "result.json").unlink()
    (sweep_lock,) = (sweep_copy / "runs" / ".sweeps").glob("*.lock")
    for path in (sweep_lock, *(folder / name for name in LEFT_BY_A_TRIAL)):
        path.write_text("999999\n")  # a process that is no more
    done = rerun(sweep_copy)
    assert done.code == 0, done.err
    assert results(sweep_copy) == before
