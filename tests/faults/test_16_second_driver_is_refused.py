"""A second driver of a sweep is refused; two sweeps with a common trial share it."""

from pathlib import Path

from support.cli import SHORT, records, results, start, sweep, wait_until

LONG = ("-m", "lr=1e-3,2e-3", "epochs=500")


def test_second_driver_of_a_live_sweep_is_refused(tmp_path: Path) -> None:
    first = start(*LONG, cwd=tmp_path)
    wait_until(lambda: any(tmp_path.rglob("metrics.jsonl")))
    second = sweep(*LONG, cwd=tmp_path)
    first.terminate()
    first.communicate(timeout=20)
    assert second.code == 2
    assert f"this sweep is already run by process {first.pid} on " in second.err
    assert "clip-hparam status " in second.err
    assert " --watch follows its trials" in second.err
    assert second.err.count("\n") == 1


def test_trial_of_two_sweeps_runs_once_and_counts_in_both(tmp_path: Path) -> None:
    short = (*SHORT, "epochs=3", "data.epoch_images=750")
    drivers = [start("-m", f"lr=1e-3,{lr}", *short, cwd=tmp_path) for lr in ("2e-3", "3e-3")]
    for driver in drivers:
        out, err = driver.communicate(timeout=120)
        assert driver.returncode == 0, out + err
    assert len(results(tmp_path)) == 3
    assert [record.status()["attempt"] for record in records(tmp_path)] == [1, 1, 1]
