"""A trial raises: its failure is recorded, others finish, and the same command reruns it."""

from collections.abc import Callable
from pathlib import Path

from support.cli import Done, clip_hparam, results

from clip_hparam.records.record import Record


def test_failed_trial_is_recorded_and_rerun_alone(
    finished_sweep: Path, tmp_path: Path, rerun: Callable[[Path], Done]
) -> None:
    victim = sorted(results(finished_sweep))[0]
    obstacle = tmp_path / "runs" / victim / "correct.npz"
    obstacle.mkdir(parents=True)  # correct.npz cannot be written
    done = rerun(tmp_path)
    assert done.code == 1
    assert f"{victim} failed: IsADirectoryError" in done.out
    assert results(tmp_path).keys() == results(finished_sweep).keys() - {victim}
    failure = Record(tmp_path / "runs", victim).failure()
    assert failure is not None
    assert failure["kind"] == "error"
    assert "Traceback" in failure["traceback"]
    assert "IsADirectoryError" in clip_hparam("why", victim, cwd=tmp_path).out
    obstacle.rmdir()
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("result.json")}
    assert rerun(tmp_path).code == 0
    assert results(tmp_path) == results(finished_sweep)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
