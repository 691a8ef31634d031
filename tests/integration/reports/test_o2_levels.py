"""A range of whole numbers is a list of levels, and equal levels are one."""

import re
from pathlib import Path

import pytest
from support.cli import plan

SEARCH = ("hydra.sweeper.n_trials=9", "dry_run=true")
GRID = ("hydra.sweeper.sampler.name=grid", *SEARCH)


@pytest.mark.parametrize(
    ("typed", "levels"),
    [
        ("batch_size=range(5,11,5)", "5, 10"),
        ("batch_size=range(5,8)", "5, 6, 7"),
        ("epochs=range(10,5,-2)", "10, 8, 6"),
        ("lr=range(0.1,0.4,0.1)", "0.1, 0.2, 0.3"),
        ("lr=choice(0.1,0.10,1e-1,0.2)", "0.1, 0.2"),
    ],
)
@pytest.mark.parametrize("options", [SEARCH, GRID], ids=["tpe", "grid"])
def test_search_has_each_level_once(
    typed: str, levels: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    done = plan("-m", typed, "pool=cls,patch_mean", *options, cwd=tmp_path)
    assert done.code == 0, done.err
    knob = typed.partition("=")[0]
    assert re.search(rf"^{knob} +{re.escape(levels)} *$", done.out, re.MULTILINE), done.out
    if options == GRID:
        assert f"{2 * len(levels.split(', '))} points of 1 seed each" in done.out


def test_range_of_whole_numbers_alone_is_a_search(tmp_path: Path) -> None:
    done = plan("-m", "batch_size=range(5,11,5)", *SEARCH, cwd=tmp_path)
    assert done.code == 0, done.err


def test_equal_levels_alone_are_no_search(tmp_path: Path) -> None:
    done = plan("-m", "lr=choice(0.1,0.10,1e-1)", *SEARCH, cwd=tmp_path)
    assert done.code == 2
    assert "a search needs knobs to vary" in done.err


@pytest.mark.parametrize("typed", ["lr=0.1,0.10,1e-1", "lr=choice(0.1,0.10,1e-1)"])
def test_grid_has_equal_levels_once_and_reports_them(typed: str, tmp_path: Path) -> None:
    done = plan("-m", typed, "dry_run=true", cwd=tmp_path)
    assert done.code == 0, done.err
    assert re.search(r"^lr=0.1 +1 +0 +1 ", done.out, re.MULTILINE), done.out
    assert done.out.count("repeats a level: lr=0.1 is used") == 1


def rows_of_plan(text: str) -> list[str]:
    """Return the labels in the table of a plan: equal trials count once, cells do not."""
    return re.findall(r"^(\S+) +1 +0 +1 ", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("design", "cells", "repeated"),
    [
        ("kind: grid\nknobs: {lr: [0.1, 0.10, 1e-1, 0.2]}", 2, "lr=0.1,0.1,0.1,0.2"),
        ("kind: grid\nknobs: {lr: ['0.1', '0.10', '1e-1', '0.2']}", 2, "lr=0.1,0.10,1e-1,0.2"),
        ("kind: grid\nknobs: {lr: ['0.1', '1e-1'], epochs: 'range(2, 5)'}", 3, "lr=0.1,1e-1"),
        ("kind: one_at_a_time\nknobs: {lr: ['0.1', '1e-1'], epochs: [2, 3]}", 2, "lr=0.1,1e-1"),
        ("kind: zip\nknobs: {lr: ['0.1', '1e-1'], epochs: [2, 3]}", 2, None),
        ("kind: random\nsamples: 40\nknobs: {epochs: 'range(2, 5)'}", 3, None),
        (
            "kind: sobol\nsamples: 16\nknobs: {epochs: 'range(2, 5)', lr: ['0.1', '1e-1']}",
            3,
            "lr=0.1,1e-1",
        ),
    ],
)
def test_design_has_a_cell_per_distinct_level(
    design: str, cells: int, repeated: str | None, tmp_path: Path
) -> None:
    """The note tells it apart from a plan that merges the cells of equal trials afterwards."""
    (tmp_path / "sweeps").mkdir()
    text = f"# @package hydra.sweeper.design\nname: mine\n{design}\n"
    (tmp_path / "sweeps" / "mine.yaml").write_text(text)
    words = (f"--config-dir={tmp_path}", "-m", "sweeps=mine", "dry_run=true")
    done = plan(*words, cwd=tmp_path, COLUMNS="200")
    assert done.code == 0, done.err
    assert f"{cells} trials: 0 done" in done.out
    assert len(rows_of_plan(done.out)) == cells
    told = re.findall(r"(\S+) repeats a level: \S+ is used", done.out)
    assert told == ([] if repeated is None else [repeated])
