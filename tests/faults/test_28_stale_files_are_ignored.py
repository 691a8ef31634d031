"""Temporary files and locks of processes that were killed: passed over, and no result is lost."""

from collections.abc import Callable
from pathlib import Path

from support.cli import Done, results

LEFT_BY_A_TRIAL = (".lock", ".result.json.x1y2z3", "1_0_result.pkl.save_tmp")


def test_a_trial_is_done_among_stale_files(swept: Path, again: Callable[[Path], Done]) -> None:
    before = results(swept)
    folder = swept / "runs" / next(iter(before))
    (folder / "result.json").unlink()
    (sweep_lock,) = (swept / "runs" / ".sweeps").glob("*.lock")
    for path in (sweep_lock, *(folder / name for name in LEFT_BY_A_TRIAL)):
        path.write_text("999999\n")  # a process that is no more
    done = again(swept)
    assert done.code == 0, done.err
    assert results(swept) == before
