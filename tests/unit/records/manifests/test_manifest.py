"""Sweep manifests: what is written is read back, and names find cells and trials."""

from pathlib import Path
from typing import Any

import pytest

from clip_hparam.records.manifests.manifest import (
    GrowingManifest,
    ManifestCell,
    SweepManifest,
    find_cells,
    find_trial_id,
    manifest_tree,
    newest_by_name,
    parse_manifest,
    read_manifests,
    write_manifest,
)
from clip_hparam.records.paths import manifest_path


def cell(label: str, *ids: str) -> ManifestCell:
    return ManifestCell(label, (), dict(enumerate(ids)))


def sweep(name: str, created: str, *cells: ManifestCell) -> SweepManifest:
    return SweepManifest(f"id of {name} {created}", name, "grid", created, cells)


def test_written_manifest_is_read_back(tmp_path: Path) -> None:
    cells: list[dict[str, Any]] = [
        {"label": "a", "overrides": ["lr=1"], "trials": {"1": "t1", "0": "t0"}},
        {"label": "b", "overrides": [], "trials": {"0": "t0"}},
    ]
    write_manifest(tmp_path, manifest_tree("s1", "lr", "grid", cells, race={"start": 3}))
    (manifest,) = read_manifests(tmp_path)
    assert manifest.cells[0] == ManifestCell("a", ("lr=1",), {0: "t0", 1: "t1"})
    assert (manifest.race, manifest.full, manifest.trial_ids) == ({"start": 3}, (), ["t0", "t1"])
    assert manifest.family == ""


def test_the_family_is_written_where_it_is_not_that_of_the_miniature(tmp_path: Path) -> None:
    for number, family in enumerate(("", "b16")):
        write_manifest(tmp_path, manifest_tree(f"s{number}", "lr", "grid", [], family))
    assert [one.family for one in read_manifests(tmp_path)] == ["", "b16"]
    assert "family" not in manifest_path(tmp_path, "s0").read_text()


def test_keys_of_a_manifest_keep_their_order() -> None:
    tree = manifest_tree("s1", "lr", "search", [], race={}, search={"full": {}})
    assert list(tree) == [
        *("schema", "sweep_id", "name", "kind", "race"),
        *("created", "command", "search", "cells"),
    ]


def test_growing_manifest_has_one_line_per_cell(tmp_path: Path) -> None:
    growing = GrowingManifest(manifest_path(tmp_path, "s1"))
    growing.write(manifest_tree("s1", "lr", "search", [], search={"full": {"epochs": "9"}}))
    for label in ("a", "b"):
        growing.add_cell({"label": label, "overrides": [], "trials": {}})
    assert len(growing.path.read_text().splitlines()) == 4
    (manifest,) = read_manifests(tmp_path)
    assert [one.label for one in manifest.cells] == ["a", "b"]
    assert manifest.full == ("epochs=9",)


@pytest.mark.parametrize("tree", [{}, {"sweep_id": "s"}, {"cells": 1}, {"search": []}])
def test_object_of_another_shape_is_no_manifest(tree: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="manifest"):
        parse_manifest(tree)
    write_manifest(tmp_path, {"sweep_id": "s1", **tree})
    assert read_manifests(tmp_path) == []


def test_newest_manifest_of_a_name_counts() -> None:
    old, new = (
        sweep("lr", "2026-01-01", cell("a", "t1")),
        sweep("lr", "2026-01-02", cell("a", "t2")),
    )
    assert newest_by_name([new, old]) == {"lr": new}
    assert find_cells([new, old], "a") == find_cells([new, old], "lr/a") == [(new, new.cells[0])]
    assert find_cells([new, old], f"{old.sweep_id}/a") == [(old, old.cells[0])]


def test_label_in_several_sweeps_needs_the_sweep_unless_the_trials_are_the_same() -> None:
    first, second = sweep("lr", "1", cell("a", "t1", "t2")), sweep("wd", "2", cell("a", "t1"))
    same = sweep("copy", "3", cell("a", "t2", "t1"))
    with pytest.raises(ValueError, match="several sweeps have a cell a: say SWEEP/a"):
        find_cells([first, second], "a")
    assert find_cells([first, second], "wd/a") == [(second, second.cells[0])]
    assert len(find_cells([first, same], "a")) == 2


def test_label_may_hold_a_slash() -> None:
    manifest = sweep("lr", "1", cell("recipe=a/b", "t1"))
    assert find_cells([manifest], "recipe=a/b") == find_cells([manifest], "lr/recipe=a/b")
    assert find_cells([manifest], "lr/a") == find_cells([manifest], "") == []


def test_start_of_a_trial_id_must_be_unique() -> None:
    assert find_trial_id(["abc", "abd", "b"], "b") == "b"
    assert find_trial_id(["abc"], "x") is None
    with pytest.raises(ValueError, match="2 trials start with ab: abc, abd"):
        find_trial_id(["abc", "abd"], "ab")
