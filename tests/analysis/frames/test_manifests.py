"""Sweep manifests: cells, seeds, newest of each name; a broken manifest is reported."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.trial_factory import Runs, ladder_cells

from clip_hparam.analysis.frames.manifests import newest_by_name, read_manifests

CELLS = {"slow": {"lr": 1e-4}, "fast": {"lr": 1e-2}}


def test_cells_keep_the_design_order_and_seeds_are_sorted_integers(runs: Runs) -> None:
    runs.sweep("ladder", ladder_cells(), seeds=[10, 9, 1])
    (sweep,), problems = read_manifests(runs.folder)
    assert [cell.label for cell in sweep.cells] == list(ladder_cells())
    assert list(sweep.cells[0].trials) == [1, 9, 10]
    assert problems == []


def test_the_newest_manifest_of_a_name_is_used(runs: Runs) -> None:
    runs.sweep("lr", CELLS, seeds=[0])
    runs.sweep("lr", CELLS, seeds=[0, 1, 2])
    runs.sweep("other", CELLS, seeds=[0])
    sweeps, _ = read_manifests(runs.folder)
    assert sorted(newest_by_name(sweeps)) == ["lr", "other"]
    for order in (sweeps, sweeps[::-1]):
        assert list(newest_by_name(order)["lr"].cells[0].trials) == [0, 1, 2]


def test_a_folder_without_sweeps_has_none(tmp_path: Path) -> None:
    assert read_manifests(tmp_path) == ([], [])


@pytest.mark.parametrize(
    "vandal",
    [
        lambda tree: tree.pop("cells"),
        lambda tree: tree.update(cells=None),
        lambda tree: tree.update(cells=["lower_lr"]),
        lambda tree: tree["cells"][0]["trials"].update(one="abc"),
        lambda tree: tree.update(name="../../etc/passwd"),
        lambda tree: tree.update(name="a\nb"),
        lambda tree: tree.update(schema=2),
    ],
)
def test_a_broken_manifest_is_reported_and_the_others_are_read(
    runs: Runs, edit: Callable[..., None], vandal: Callable[[dict[str, Any]], Any]
) -> None:
    runs.sweep("lr", CELLS)
    runs.sweep("ema", CELLS)
    edit(runs.folder / ".sweeps" / "lr-0.json", vandal)
    sweeps, problems = read_manifests(runs.folder)
    assert [sweep.name for sweep in sweeps] == ["ema"]
    assert len(problems) == 1
    assert "lr-0.json" in problems[0]
