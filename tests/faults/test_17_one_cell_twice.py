"""Levels that are one value: one run, and a notice that names the cells."""

from pathlib import Path

from commands import SHORT, records, sweep


def test_a_cell_that_stands_twice_runs_once(tmp_path: Path) -> None:
    done = sweep("-m", "lr=1e-3,2e-3,0.002", *SHORT, cwd=tmp_path)
    assert done.code == 0, done.err
    assert "lr=0.002 is the same as lr=2e-3: its trials run once" in done.out
    assert len(records(tmp_path)) == 2
