"""Levels of equal value and steps of equal recipes run once, and a notice names them."""

from pathlib import Path

from support.cli import SHORT, plan, records, sweep


def test_repeated_level_runs_once(tmp_path: Path) -> None:
    done = sweep("-m", "lr=1e-3,2e-3,0.002", *SHORT, cwd=tmp_path)
    assert done.code == 0, done.err
    assert "lr=0.001,0.002,0.002 repeats a level: lr=0.001,0.002 is used\n" in done.out
    assert len(records(tmp_path)) == 2


def test_steps_with_equal_recipes_are_named(tmp_path: Path) -> None:
    done = plan("-m", "sweeps=augment", "random_erasing=0", "dry_run=true", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "no erasing is the same as weak_aug: its trials run once\n" in done.out
